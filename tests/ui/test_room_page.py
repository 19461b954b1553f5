"""The page of a room, as its presenter and its visitors see it; and other pages, where a room's runs are."""

import time
from pathlib import Path
from typing import Any

import pytest
import segno
from streamlit.testing.v1 import AppTest

from explorer.config import RunConfig
from explorer.passes import Pass
from explorer.room import EXPIRES_SECONDS, Rooms
from explorer.runs import ACTIVE, DONE, QUEUED, Store
from explorer.shown import EXPERIMENT, LESSON, POLL, RUNS, Experiment, Shown
from explorer.ui import invitation, lesson, resources
from tests.rooms import joined
from tests.ui.visits import ERRORS, everything, finished, sent, visit, words


@pytest.fixture
def house() -> Rooms:
    """The rooms that the pages use too."""
    return resources.rooms()


@pytest.fixture
def store(house: Rooms) -> Store:
    return house.store


@pytest.fixture
def presenter(house: Rooms) -> str:
    return house.open()


def enter(house: Rooms, presenter: str) -> AppTest:
    """A visitor's page, by the address on the projector."""
    return visit("room", code=house.look(presenter).code)


def pass_of(app: AppTest) -> str:
    return str(app.session_state["room-pass"])


def member(house: Rooms, app: AppTest) -> Pass:
    return house.look(pass_of(app))


def watched(app: AppTest) -> dict[str, Any]:
    """What the page waits for."""
    return next(data for data in sent(app) if "standing" in data)


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def shared(house: Rooms, presenter: str) -> Experiment:
    found = resources.source("shapes").name
    networks = ("plain-8:width=8", "resnet-8:width=8")
    experiment = Experiment("brief", found, "shapes", networks, "dropout", ("0", "0.5"), 2)
    house.propose(presenter, experiment)
    return experiment


def test_a_room_is_opened_and_shows_how_to_come_in(house: Rooms) -> None:
    app = visit("room")
    app.button(key="room-open").click().run()
    assert not app.exception
    who = member(house, app)
    assert who.presents
    text = words(app)
    assert f">{who.code}</p>" in text
    assert "data:image/svg+xml" in text
    assert "/room" in text
    assert "0 here" in text
    link = next(code.value for code in app.code)
    assert link.endswith(f"/room?key={pass_of(app)}")
    assert house.look(link.partition("key=")[2]) == who


def test_the_qr_code_is_the_address_with_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    make = segno.make
    monkeypatch.setattr(invitation.segno, "make", lambda text, **options: drawn.append(text) or make(text, **options))
    monkeypatch.setattr(invitation, "lan_address", lambda: "192.168.7.7")
    app = visit("room")
    app.button(key="room-open").click().run()
    code = pass_of(app).partition(".")[0]
    assert drawn[-1].startswith("http://192.168.7.7:")
    assert drawn[-1].endswith(f"/room?code={code}")


@pytest.mark.threat("The presenter's link is read from the wall")
def test_a_presenters_link_works_elsewhere_and_leaves_the_address(house: Rooms, presenter: str) -> None:
    app = visit("room", key=presenter)
    assert not app.exception
    assert member(house, app).presents
    assert "key" not in app.query_params
    assert app.segmented_control(key="room-kind").value == "code"


@pytest.mark.parametrize(("address", "said"), [
    ({"key": "forged"}, "not one that this server gave"),
    ({"code": "WRONG"}, "no such room"),
])  # fmt: skip
def test_what_opens_no_room_is_one_line_at_the_door(address: dict[str, str], said: str) -> None:
    app = visit("room", **address)
    assert not app.exception
    assert said in app.error[0].value
    assert app.title[0].value
    assert "room-pass" not in app.session_state or not app.session_state["room-pass"]


def test_a_code_is_typed_at_the_door(house: Rooms, presenter: str) -> None:
    app = visit("room")
    app.text_input(key="room-code").input("none")
    app.button[0].click().run()
    assert "no such room" in app.error[0].value
    app.text_input(key="room-code").input(house.look(presenter).code.lower())
    app.button[0].click().run()
    assert not member(house, app).presents
    assert app.title[0].value == f"You are in room {house.look(presenter).code}"
    for _ in range(5):
        other = visit("room", code="WRONG")
    assert not other.exception


def test_a_visitor_has_nothing_of_the_presenters(house: Rooms, presenter: str) -> None:
    app = enter(house, presenter)
    shows = [
        Shown(), Shown(LESSON, "gradients", "say"), Shown(POLL, "stacking"), Shown(EXPERIMENT), Shown(RUNS, ""),
    ]  # fmt: skip
    house.ask(presenter, "stacking", ["lower", "same", "higher"])
    for shown in shows:
        house.show(presenter, shown)
        app.run()
        assert not app.exception, shown
        keys = {button.key for button in app.button}
        assert not keys & {"room-reveal", "room-propose", "room-close", "lesson-next", "room-newest"}
        assert not [group for group in app.button_group if group.key == "room-kind"]
        assert presenter not in " ".join(everything(app))
    app.session_state["room-kind"] = "lesson"  # whatever a page may send, the server asks for the pass
    app.run()
    assert house.room(presenter).shown == shows[-1]


def test_a_visitor_follows_the_lesson_and_answers_once(house: Rooms, presenter: str) -> None:
    desk = visit("room", key=presenter)
    seat, other = enter(house, presenter), enter(house, presenter)
    desk.segmented_control(key="room-kind").set_value("lesson").run()
    assert not desk.exception
    assert house.room(presenter).shown == Shown(POLL, "stacking")
    seat.run()
    assert seat.title[0].value == lesson.text("stacking", "en")[0]
    before = watched(seat)["standing"]
    seat.button(key="room-vote-stacking-lower").click().run()
    seat.button(key="room-vote-stacking-higher").click().run()
    assert not seat.exception
    assert watched(seat)["standing"] == before, "a vote changes no visitor's page but the voter's"
    assert house.poll(presenter, "stacking").counts == {"lower": 0, "same": 0, "higher": 1}
    other.run()
    other.button(key="room-vote-stacking-lower").click().run()
    assert not [one for one in everything(other) if "Votes by answer" in one], "not before the presenter shows them"
    desk.run()
    assert "**2** of 2 have answered" in words(desk)
    assert "lower: 1; equal: 0; higher: 1" in " ".join(everything(desk))
    desk.button(key="room-reveal").click().run()
    other.run()
    assert not [label for label in labels(other) if label in ("lower", "higher")]
    assert "lower: 1; equal: 0; higher: 1" in " ".join(everything(other))
    assert "Your answer: lower" in words(other)
    desk.button(key="lesson-next").click().run()
    assert house.room(presenter).shown == Shown(LESSON, "stacking", "show")
    other.run()
    assert "Measured: higher" in words(other)
    assert watched(other)["standing"] == house.standing(pass_of(other))


@pytest.mark.threat("The presenter's link is read from the wall")
def test_on_a_projector_the_votes_come_with_the_reveal_and_the_link_never(house: Rooms, presenter: str) -> None:
    seat = enter(house, presenter)
    house.ask(presenter, "stacking", ["lower", "same", "higher"])
    seat.run().button(key="room-vote-stacking-lower").click().run()
    desk = visit("room", key=presenter, present="1")
    assert "**1** of 1 have answered" in words(desk)
    assert "Votes by answer" not in " ".join(everything(desk))
    assert not desk.code
    desk.button(key="room-reveal").click().run()
    assert "Votes by answer" in " ".join(everything(desk))


def test_every_screen_of_the_lesson_can_be_shown(house: Rooms, presenter: str) -> None:
    seat = enter(house, presenter)
    for name, what in lesson.screens():
        question = lesson.step(name).question
        if what == lesson.SAY and question:
            house.ask(presenter, name, list(question.choices))
        else:
            house.show(presenter, Shown(LESSON, name, what))
        seat.run()
        assert not seat.exception, (name, what)
        assert lesson.text(name, "en")[0] in " ".join([words(seat), *(title.value for title in seat.title)])


def test_an_experiment_is_set_up_taken_and_run_as_any_other(house: Rooms, store: Store, presenter: str) -> None:
    desk = visit("room", key=presenter)
    desk.segmented_control(key="room-kind").set_value("experiment").run()
    desk.selectbox(key="room-factor").select("dropout").run()
    desk.number_input(key="room-seeds").set_value(2).run()
    desk.button(key="room-propose").click().run()
    assert not desk.exception
    experiment = house.room(presenter).experiment
    assert experiment.networks == ("plain-20:width=8", "resnet-20:width=8")
    assert (experiment.values, experiment.seeds, len(experiment.sweep.runs)) == (("0", "0.2", "0.5"), 2, 12)
    first, second = enter(house, presenter), enter(house, presenter)
    for app in (first, second):
        app.segmented_control(key="room-network").set_value(1)
        app.segmented_control(key="room-value").set_value(2).run()
        app.button(key="room-run").click().run()
        assert not app.exception
        assert not app.error
    runs = sorted(store.runs(), key=lambda run: run.config.seed)
    assert [(run.config.network.name, run.config.seed, run.state) for run in runs] == [
        ("resnet-20:width=8,dropout=0.5", 0, QUEUED),
        ("resnet-20:width=8,dropout=0.5", 1, QUEUED),
    ]
    assert "next in the queue" in first.info[0].value
    assert "number 2 in the queue" in second.info[0].value
    assert "room-run" not in {button.key for button in first.button}, "one at a time"
    assert "0 of 12 trainings done, 2 taken" in " ".join(everything(second))


def test_results_of_all_fill_one_chart(house: Rooms, store: Store, presenter: str) -> None:
    experiment = shared(house, presenter)
    seat = enter(house, presenter)
    config = experiment.cells(0, 0)[0]
    done = finished_cell(store, config)
    house.own(pass_of(seat), [done])
    seat.run()
    assert "errs on 25.0% of the test images" in seat.success[0].value
    desk = visit("room", key=presenter)
    for app in (seat, desk):
        assert "1 of 8 trainings done, 1 taken" in " ".join(everything(app))
        assert "plain-8:width=8 at 0: test 25.0%" in " ".join(everything(app))


def finished_cell(store: Store, config: RunConfig) -> str:
    """One training of the experiment, as if it had ended."""
    from explorer.records import EvaluationRecord
    from tests.test_runs import PROVENANCE

    store.submit([config], "shapes")
    store.claim(0)
    store.append(config.run, EvaluationRecord(0, config.training.steps, 6.4, 0.2, 2000, 0.25, 0.1, 2000, (), 30.0))
    store.set_provenance(config.run, PROVENANCE)
    store.finish(config.run, DONE)
    return config.run


def test_a_training_is_shown_to_all(house: Rooms, store: Store, presenter: str) -> None:
    for family, depth in ERRORS:
        finished(store, family, depth)
    desk, seat = visit("room", key=presenter), enter(house, presenter)
    desk.segmented_control(key="room-kind").set_value("runs").run()
    assert not desk.exception
    assert set(house.room(presenter).shown.name.split()) == {run.run for run in store.runs()}
    seat.run()
    assert any("plain-32" in text for text in everything(seat))


@pytest.mark.threat("A visitor stops or deletes another's run, or takes its place in an experiment")
def test_a_visitors_run_is_refused_to_others_and_to_outsiders_on_every_page(
    house: Rooms, store: Store, presenter: str
) -> None:
    owner, other = enter(house, presenter), enter(house, presenter)
    race = _in("degradation", pass_of(owner))
    race.button(key="race-start").click().run()
    assert {run.state for run in store.runs()} == {QUEUED}
    for signed in (pass_of(other), None):
        app = _in("degradation", signed)
        app.button(key="race-stop").click().run()
        assert "another's" in app.error[0].value
        assert {run.state for run in store.runs()} <= set(ACTIVE)
    desk = _in("degradation", presenter)
    desk.button(key="race-stop").click().run()
    assert not desk.error
    assert not {run.state for run in store.runs()} & set(ACTIVE)


def _in(page: str, signed: str | None) -> AppTest:
    """A page, visited by who holds this pass."""
    app = visit(page)
    if signed:
        app.session_state["room-pass"] = signed
        app.run()
    return app


def test_more_than_four_trainings_are_too_many_for_a_visitor(house: Rooms, store: Store, presenter: str) -> None:
    seat = enter(house, presenter)
    app = visit("degradation", also="highway-32")
    app.session_state["room-pass"] = pass_of(seat)
    app.run()
    app.button(key="race-start").click().run()
    assert "at most 4" in app.error[0].value
    assert store.runs() == []


def test_a_name_is_for_the_presenter_and_goes_with_its_owner(house: Rooms, presenter: str) -> None:
    seat, other = enter(house, presenter), enter(house, presenter)
    seat.text_input(key="room-name").input("<b>Kim*").run()
    desk = visit("room", key=presenter)
    assert r"\<b\>Kim\*" in words(desk)
    assert "Kim" not in " ".join(everything(other.run()))
    seat.button(key="room-leave").click().run()
    assert seat.title[0].value == "Work through it together"
    assert "Kim" not in words(desk.run())


def test_a_closed_room_says_so_and_lets_go(house: Rooms, presenter: str) -> None:
    desk, seat = visit("room", key=presenter), enter(house, presenter)
    assert desk.button(key="room-close").disabled
    desk.checkbox(key="room-close-sure").check().run()
    desk.button(key="room-close").click().run()
    assert desk.title[0].value == "Work through it together"
    seat.query_params.clear()
    seat.run()
    assert not seat.exception
    assert seat.title[0].value == "Work through it together"


@pytest.mark.parametrize("shown", [Shown(), Shown(POLL, "stacking"), Shown(EXPERIMENT)])
def test_it_is_korean_throughout(house: Rooms, presenter: str, shown: Shown) -> None:
    house.ask(presenter, "stacking", ["lower", "same", "higher"])
    shared(house, presenter)
    house.show(presenter, shown)
    for app in (visit("room", key=presenter, lang="ko"), visit("room", code=house.look(presenter).code, lang="ko")):
        assert not app.exception
        assert any("가" <= letter <= "힣" for letter in app.title[0].value)
        for button in app.button:
            if button.key and button.key.startswith("room-"):
                assert any("가" <= letter <= "힣" for letter in button.label), button.key


@pytest.mark.threat("Visitors are observed")
def test_a_server_deletes_what_ended_though_nobody_opens_a_room(tmp_path: Path) -> None:
    lately = time.time()
    yesterday = Rooms(Store(tmp_path / "home"), lambda: lately - EXPIRES_SECONDS - 1)
    yesterday.call(joined(yesterday, yesterday.open())[0], "Maximiliane")
    file = tmp_path / "home" / "rooms.sqlite"
    assert b"Maximiliane" in file.read_bytes()
    resources.server()
    for _ in range(100):
        if b"Maximiliane" not in file.read_bytes():
            return
        time.sleep(0.1)
    pytest.fail("the name is still in the file")
