# The steps of the image are deploy/image.sh, so that they can also be run, and are tested, without Docker.
FROM node:20.20-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY training ./training
COPY bench ./bench
COPY models ./models
COPY data ./data
COPY deploy/image.sh ./deploy/image.sh
# --build-arg WITH_TFJS_NODE=1 adds TensorFlow's native library; its installer downloads from outside the registry.
ARG WITH_TFJS_NODE=0
RUN WITH_TFJS_NODE=$WITH_TFJS_NODE sh deploy/image.sh /build /image

FROM node:20.20-bookworm-slim
ENV NODE_ENV=production PRESCALE_DATA_DIR=/data
COPY --from=build --chown=root:root /image /app
RUN mkdir /data && chown node:node /data
WORKDIR /app
USER node
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PRESCALE_PORT ?? 8080) + '/healthz').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/src/main.js"]
CMD ["start"]
