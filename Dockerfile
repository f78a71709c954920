# docker build --target cpu -t whenabouts .
# docker build --target cuda -t whenabouts:cuda .

FROM python:3.13-slim AS wheel
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY agent agent
COPY tools tools
COPY prompts prompts
COPY evaluation evaluation
COPY training training
RUN pip install --no-cache-dir --constraint constraints.txt build==1.* \
    && python -m build --wheel --dependency-constraints-txt constraints.txt --outdir /wheel

FROM python:3.13-slim AS base
ENV PYTHONUNBUFFERED=1 \
    WHENABOUTS_HOME=/home/whenabouts/data
# A user without rights, who owns the folder that is written.
RUN useradd --create-home --uid 1000 whenabouts \
    && mkdir /videos /home/whenabouts/data \
    && chown 1000:1000 /home/whenabouts/data
COPY --from=wheel /wheel /wheel
COPY constraints.txt /wheel/
EXPOSE 8765
VOLUME ["/home/whenabouts/data"]
# The API asks for the secret that is needed on every address but the loopback.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(web.Request('http://127.0.0.1:8765/api/v1/videos', headers={'Authorization': 'Bearer ' + os.environ.get('WHENABOUTS_TOKEN', '')}), timeout=4)"]
ENTRYPOINT ["whenabouts"]
CMD ["serve", "/videos", "--address", "0.0.0.0", "--port", "8765"]

FROM base AS cuda
# The wheels of torch for Linux bring CUDA; the driver comes from the machine (docker run --gpus all).
RUN pip install --no-cache-dir --constraint /wheel/constraints.txt \
    "$(echo /wheel/whenabouts-*.whl)[ocr,openai,plot,web,see,speech,local]"
USER 1000

FROM base AS cpu
RUN pip install --no-cache-dir --constraint /wheel/constraints.txt \
    "$(echo /wheel/whenabouts-*.whl)[ocr,openai,plot,web,see]"
USER 1000
