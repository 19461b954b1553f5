"""The solution that exists by construction (section 1): a trained network with identity layers added errs as before.

Copy the layers of a trained shallow network, let the others pass their input on: that deeper network has the shallow
one's training error. Trained from scratch a deep plain network has a higher one, so it is not that no better solution
were there; the solver does not find it.
"""

from dataclasses import replace

import torch
from torch import nn

from explorer.errors import RequestError
from explorer.networks.build import build
from explorer.networks.residual import ResidualNetwork
from explorer.networks.residual_blocks import BasicBlock


def deepened(network: ResidualNetwork, depth: int) -> ResidualNetwork:
    """`network` with blocks that are the identity added at the end of each stage, `depth` layers in all.

    In evaluation mode, where it is exact to the last bit, on the CPU. The blocks of the shallow network are copied. An
    added residual block has a branch of zero: the last BN's gamma is 0. An added plain block has kernels that copy what
    they get, and BN that changes nothing in evaluation mode; it gets the output of a ReLU, so its own ReLUs change
    nothing either. Raises RequestError for networks of other blocks and for no more layers.
    """
    shallow = network.config
    basic = shallow.block == "basic" and shallow.bn and not shallow.preactivation
    if not basic or shallow.shortcut not in ("none", "A", "B"):
        raise RequestError(f"{shallow.name}: identity blocks are known for plain and residual networks with BN")
    if depth <= shallow.depth:
        raise RequestError(f"{depth} layers are no more than the {shallow.depth} of {shallow.name}")
    deep = build(replace(shallow, depth=depth))
    with torch.no_grad():
        for part in ("conv", "bn", "head"):
            deep.get_submodule(part).load_state_dict(network.get_submodule(part).state_dict())
        for name, stage in deep.stages.items():
            for index, block in enumerate(stage):
                if index < len(network.stages[name]):
                    block.load_state_dict(network.stages[name][index].state_dict())
                elif isinstance(block, BasicBlock):
                    _make_identity(block)
    return deep.eval()


def _make_identity(block: BasicBlock) -> None:
    if block.shortcut is not None:
        nn.init.zeros_(block.bn2.get_parameter("weight"))
        nn.init.zeros_(block.bn2.get_parameter("bias"))
        return
    for conv, bn in ((block.conv1, block.bn1), (block.conv2, block.bn2)):
        assert isinstance(bn, nn.BatchNorm2d)
        assert bn.running_var is not None
        nn.init.dirac_(conv.weight)
        bn.running_var.fill_(1 - bn.eps)  # its root with eps added is 1
