#!/usr/bin/env bash
# Serve the model of the demo until the job ends: installed by make, asked once before anything depends on it.
# MODEL_URL set: somebody else serves it there already, and it is only waited for.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
url="${MODEL_URL:-http://127.0.0.1:8081/v1}"
if [ -z "${MODEL_URL:-}" ]; then
  make .venv-model/.model
  nohup .venv-model/bin/python scripts/serve_model.py --port 8081 >model-server.log 2>&1 &
fi
for _ in $(seq 120); do
  if curl --silent --fail --output /dev/null "${url}/models"; then
    echo "the model is served at ${url}"
    exit 0
  fi
  sleep 1
done
echo "the model at ${url} did not answer within two minutes" >&2
cat model-server.log >&2 || true
exit 1
