#!/bin/bash
# bash ssh.sh: starts a worker on each of two machines that share a folder, and waits for both.
for index in 0 1; do
ssh "host$index" "cd project && TF_CONFIG='{\"cluster\": {\"worker\": [\"host0:12345\", \"host1:12345\"]}, \"task\": {\"type\": \"worker\", \"index\": $index}}' \
python -m tl_keras.train --distribute multi_worker --data.path data/flowers --run runs/flowers" &
done
wait
