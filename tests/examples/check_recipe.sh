#!/bin/sh
# SPDX-License-Identifier: MIT
# What a training takes from the network's recipe is what a checkpoint has and is resumed with; what
# cannot be meant is not chosen.
set -u
. "$(dirname "$0")/common.sh"

drawings=$work/drawings
run 0 "$cats_dogs" draw "$drawings" --count 24
cd "$work" || exit 1

# ---- Resumed ----

run 0 "$cats_dogs" train drawings --output best.cnn --network resnet --size 16 --epochs 1 --quiet \
    --checkpoint saved.ckpt
# The network's own values are those of the training, as numbers, words and switches.
run 0 "$cats_dogs" train --resume saved.ckpt --quiet --mixup 0.2 --cutmix 0 --weight-decay 0.05 \
    --label-smoothing 0.1 --ema 0.999 --optimizer adamw --flip 0.5 --crop 0.35 --rotation 10 \
    --color 0.2 --hue 0 --erase 0 --learning-rate 0.002 --batch 32 --predict-size 22 \
    --flip-average --test 0.1
# refuse_to_resume TEXT OPTION...: what was given and what the training has, as options.
refuse_to_resume() {
    text=$1
    shift
    refuse "$text, wanted that or nothing\$" "$cats_dogs" train --resume saved.ckpt "$@"
}
refuse_to_resume '--mixup 0\.3: the training in saved\.ckpt has 0\.2' --mixup 0.3
refuse_to_resume '--flip 0: the training in saved\.ckpt has 0\.5' --flip 0
refuse_to_resume '--optimizer sgd: the training in saved\.ckpt has adamw' --optimizer sgd
refuse_to_resume '--patience 5: the training in saved\.ckpt has nothing' --patience 5
refuse_to_resume '--no-flip-average: the training in saved\.ckpt has --flip-average' \
    --no-flip-average
refuse_to_resume '--learning-rate 0\.0020001: the training in saved\.ckpt has 0\.002' \
    --learning-rate 0.0020001

# What was given goes on as it was.
run 0 "$cats_dogs" train drawings --output other.cnn --network resnet --size 16 --epochs 1 --quiet \
    --checkpoint other.ckpt --flip 0 --crop 1 --optimizer sgd --mixup 0.123456789012345678
run 0 "$cats_dogs" train --resume other.ckpt --quiet --flip 0 --crop 1 --optimizer sgd \
    --no-flip-average --predict-size 16 --mixup 0.123456789012345678 --learning-rate 0.05 \
    --weight-decay 0.0005
expect_output '^measured on the test pictures, each as it is'

# ---- The warm-up ----

# rates: the learning rates of the steps.
rates() { sed -n 's/.*"event":"step".*"learning_rate":\([^,]*\),.*/\1/p' lines; }

# A short training is not all warm-up: it ends with small steps, and most of them go down to there.
run 0 "$cats_dogs" train drawings --output other.cnn --network resnet --size 16 --epochs 2 --quiet \
    --batch 2 --metrics lines
rates | awk '$1 < before { falling++ } { before = $1 }
    END { if (NR != 22 || falling < NR * 2 / 3 || before > 0.002 / 20) exit 1 }' ||
    fail "learning rates: $(rates | tr '\n' ' ')"

# ---- The size of predictions ----

# The largest pictures are not predicted at a size that there is not.  The network is printed before
# anything else can fail, here on pictures that cannot be read.
mkdir -p none/cats none/dogs
for i in 1 2 3; do
    echo 'no picture' >"none/cats/$i.jpg"
    echo 'no picture' >"none/dogs/$i.jpg"
done
run 2 "$cats_dogs" train none --output none.cnn --network resnet --size 3000 --batch 1
expect_output '^ +predicts pictures of 4096 x 4096$'
# Where no random crops show things larger than they are, none is larger than those trained on.
run 2 "$cats_dogs" train none --output none.cnn --network resnet --size 32 --crop 1
expect_output '^network +resnet, 32 x 32 x 3,'
grep -q 'predicts pictures' out && fail 'another size without crops'
finish
