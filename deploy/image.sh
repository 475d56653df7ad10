#!/bin/sh
# Builds prescale from the tree FROM into the folder TO: compiled code, models, demo data and production packages only.
#   sh deploy/image.sh FROM TO
# WITH_TFJS_NODE=1 keeps the optional native TensorFlow; without it the WebAssembly backend serves.
set -eu
from=$1
to=$2
mkdir -p "$to"
to=$(cd "$to" && pwd)

cd "$from"
# The bundler of the page is an optional package of its own for each platform; no script of any package runs.
npm ci --no-audit --no-fund --ignore-scripts
npm run build

mkdir -p "$to/dist"
cp -R dist/src dist/training "$to/dist/"
cp -R models data package.json package-lock.json "$to/"

cd "$to"
if [ "${WITH_TFJS_NODE:-0}" = 1 ]; then
  npm ci --no-audit --no-fund --omit=dev
else
  npm ci --no-audit --no-fund --omit=dev --omit=optional --ignore-scripts
fi
rm -f package-lock.json
