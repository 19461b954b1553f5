# The app in a container: `docker build .` for the CPU, `docker build --build-arg DEVICE=cuda .` for NVIDIA GPUs.
# It runs as a user without rights, writes to /data and /tmp alone, and says whether it is healthy. See docs/deploy.md.
FROM python:3.11-slim AS build
ARG DEVICE=cpu
WORKDIR /build
COPY requirements.txt requirements-auth.txt ./
RUN python -m venv /opt/venv
# torch of the CPU index is the same version without 4 GB of CUDA; what is installed satisfies the pin below
RUN if [ "$DEVICE" = cpu ]; then \
      /opt/venv/bin/pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu \
        $(grep -E '^torch(vision)?==' requirements.txt); \
    fi
RUN /opt/venv/bin/pip install --no-cache-dir -r requirements-auth.txt

FROM python:3.11-slim
# Hugging Face Spaces run containers as user 1000, too
RUN useradd --uid 1000 --create-home explorer && install --directory --owner=explorer --mode=0700 /data
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY app.py LICENSE README.md ./
COPY .streamlit .streamlit
COPY explorer explorer
COPY pages pages
COPY assets assets
COPY docs docs
RUN /opt/venv/bin/python -m compileall -q explorer pages app.py
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    EXPLORER_HOME=/data
USER explorer
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["streamlit", "run", "app.py", "--server.address=0.0.0.0", "--server.port=8501"]
