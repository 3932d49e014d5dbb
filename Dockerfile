# dagger on the CPU: docker build -t dagger . && docker run --rm -v "$PWD/outputs:/runs/outputs" dagger train env=bipedal
FROM python:3.12-slim AS build
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH PIP_NO_CACHE_DIR=1
RUN pip install torch --index-url https://download.pytorch.org/whl/cpu
COPY . /src
RUN pip install -c /src/constraints.txt /src

FROM python:3.12-slim
RUN useradd --create-home --uid 1000 dagger && mkdir /runs && chown dagger /runs
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH SDL_VIDEODRIVER=dummy
USER dagger
WORKDIR /runs
ENTRYPOINT ["dagger"]
CMD ["--help"]
