#!/bin/sh
# SPDX-License-Identifier: MIT
# Whatever is wrong with the input: one line that names the thing, what was found and what was
# wanted, the right exit status, and nothing half-written.
set -u
. "$(dirname "$0")/common.sh"

drawings=$work/drawings
good_model=$work/good.cnn
output=$work/models/new.cnn

train() { # DATA OPTION...: trains shortly into $output
    "$cats_dogs" train "$@" --output "$output" --network classic --size 16 --epochs 1 --quiet
}

run 0 "$cats_dogs" draw "$drawings" --count 24
run 0 train "$drawings"
mv "$output" "$good_model"
jpeg=$(find "$drawings" -name '*.jpg' | head -n 1)

# ---- Folders ----

refuse 'cannot open the folder ".*/missing": No such file or directory$' train "$work/missing"
mkdir -p "$work/empty/cats" "$work/empty/dogs"
refuse '".*/empty/cats" has no pictures \(files ending in .*\), must have some$' train "$work/empty"
mkdir "$work/nothing"
refuse '".*/nothing" has no folders, must have one of pictures per class$' train "$work/nothing"
mkdir -p "$work/one/cats"
cp "$jpeg" "$work/one/cats"
refuse '".*/one" has only one class folder, "cats", must have at least 2$' train "$work/one"
mkdir "$work/one/dogs"
cp "$jpeg" "$work/one/dogs"
refuse 'the class "cats" has 1 sample, must have at least 2$' train "$work/one"
refuse 'cannot open the folder ".*/missing": No such file or directory$' \
    "$cats_dogs" evaluate "$good_model" "$work/missing"

# Other classes than the model's: both are named.
mkdir -p "$work/birds/hens" "$work/birds/owls"
cp "$jpeg" "$work/birds/hens"
cp "$jpeg" "$work/birds/owls"
refuse 'birds: found the classes hens, owls, wanted those of the model: cats, dogs$' \
    "$cats_dogs" evaluate "$good_model" "$work/birds"

# ---- Pictures ----

bad=$work/bad
mkdir "$bad"
echo 'This is no picture.' >"$bad/text.jpg"
: >"$bad/zero.jpg"
head -c 900 "$jpeg" >"$bad/cut.jpg"
# A PNG of 60,000 x 60,000 pixels: its header, and no data.
printf '\211\120\116\107\015\012\032\012\000\000\000\015\111\110\104\122\000\000\352\140\000' \
    >"$bad/huge.png"
printf '\000\352\140\010\002\000\000\000\017\260\342\025\000\000\000\000\111\104\101\124' \
    >>"$bad/huge.png"
printf '\065\257\006\036' >>"$bad/huge.png"

refuse_picture() { # NAME REASON: no result, and the reason
    run 1 "$cats_dogs" predict "$good_model" "$bad/$1"
    expect_errors 1 "^cats-dogs: .*/$1\"?: .*$2"
    [ ! -s "$work/out" ] || fail "predict: a result for $1"
}

refuse_picture text.jpg 'begins with "This is no p", not as a JPEG or PNG$'
refuse_picture zero.jpg '0 bytes, must be a JPEG or PNG$'
refuse_picture cut.jpg 'damaged JPEG: Premature end of JPEG file$'
refuse_picture huge.png 'width is 60000, more than the limit "image side" of 32768$'
refuse_picture missing.jpg 'No such file or directory$'
run 1 "$cats_dogs" predict "$good_model" "$jpeg" "$bad/text.jpg" "$jpeg"
expect_errors 1 'text\.jpg": begins with "This is no p", not as a JPEG or PNG$'
[ "$(wc -l <"$work/out")" -eq 2 ] || fail "predict: wanted the two good pictures"

# Among good ones they are skipped and reported; alone they are an error.
cp -r "$drawings" "$work/mixed"
cp "$bad"/*.jpg "$bad/huge.png" "$work/mixed/test/cats"
run 0 "$cats_dogs" evaluate "$good_model" "$work/mixed"
expect_errors 4 'skipped a bad sample: ".*/text\.jpg": begins with .*, not as a JPEG or PNG$'
expect_last '\([0-9]+/4\)$'
mkdir -p "$work/all_bad/cats" "$work/all_bad/dogs"
for i in 1 2 3 4; do
    cp "$bad/text.jpg" "$work/all_bad/cats/$i.jpg"
    cp "$bad/zero.jpg" "$work/all_bad/dogs/$i.jpg"
done
run 2 train "$work/all_bad"
expect_errors 5 '^cats-dogs: all 4 samples of the epoch are bad; the first: ".*\.jpg": '
expect_no_leftovers

# ---- Where the model goes ----

refuse_output() { # NAME REASON: found out before anything is trained, so nothing is printed
    refuse "--output .*/$1: $2, wanted (a place|one) to write the model to$" \
        $unprivileged "$cats_dogs" train "$drawings" --output "$work/$1"
    [ ! -s "$work/out" ] || fail "$1: training began"
}

refuse_output none/new.cnn 'No such file or directory'
refuse_output nothing 'not a regular file'
ln -s none/new.cnn "$work/astray.cnn"
refuse_output astray.cnn 'No such file or directory'
ln -s loop.cnn "$work/loop.cnn"
refuse_output loop.cnn 'Too many levels of symbolic links'
if [ "$(id -u)" -ne 0 ] || [ -n "$unprivileged" ]; then
    cp "$good_model" "$work/protected.cnn"
    chmod 444 "$work/protected.cnn"
    refuse_output protected.cnn 'Permission denied'
    mkdir "$work/locked"
    chmod 500 "$work/locked"
    refuse_output locked/new.cnn 'Permission denied'
    ln -s locked/new.cnn "$work/link.cnn"
    refuse_output link.cnn 'Permission denied'
else
    echo 'skipped: protected files (root may write to them, and there is no setpriv)'
fi
# The report's path is tried out as early.
refuse '--report .*/none/page.html: No such .*, wanted a place to write the report to$' \
    train "$drawings" --report "$work/none/page.html"
refuse '--output .*/nothing: not a regular file, wanted one to write the report to$' \
    "$cats_dogs" report "$good_model" "$drawings" --output "$work/nothing"
# A link into a folder that is there is followed, and stays.
ln -s models/new.cnn "$work/good_link.cnn"
run 0 "$cats_dogs" train "$drawings" --output "$work/good_link.cnn" --network classic --size 16 \
    --epochs 1 --quiet
[ -h "$work/good_link.cnn" ] && [ -f "$output" ] || fail "the link was not followed"
rm "$output"

# A file size limit stands for a full disk: writing stops in the middle of the model.
limited_train() { (trap '' XFSZ && ulimit -f 16 && train "$drawings"); }
refuse 'cannot write ".*/new\.cnn": File too large$' limited_train
# The same in the middle of a drawing.
limited() { (trap '' XFSZ && ulimit -f 2 && "$@"); }
refuse 'full/train/cats/cat\.00001\.(jpg|png): File too large$' \
    limited "$cats_dogs" draw "$work/full" --count 24
[ ! -e "$work/full" ] || fail "draw: left its folder on a full disk"
refuse 'tmp/cats-dogs-[^/]*/train/cats/cat\.00001\.(jpg|png): File too large$' \
    limited "$cats_dogs" train --output "$output" --quiet
# And a real one, where this may be had.
mkdir "$work/disk"
if mount -t tmpfs -o size=64k none "$work/disk" 2>/dev/null; then
    run 2 "$cats_dogs" train "$drawings" --output "$work/disk/new.cnn" --network classic --size 16 \
        --epochs 1 --quiet
    expect_errors 1 'cannot write ".*disk/new\.cnn": No space left on device$'
    [ -z "$(ls -A "$work/disk")" ] || fail "left behind on a full disk: $(ls -A "$work/disk")"
    umount "$work/disk"
else
    echo "skipped: a full disk (needs the right to mount)"
fi

# The old model stays as it was when the new one cannot be saved.
cp "$good_model" "$output"
run 2 limited_train
expect_errors 1 'cannot write ".*/new\.cnn": File too large$'
cmp -s "$good_model" "$output" || fail "the old model was damaged"
rm -f "$output"

# ---- Models ----

head -c 1000 "$good_model" >"$work/cut.cnn"
refuse '"[^"]*/cut\.cnn": is cut short: its header has [0-9]+ bytes, of which 992 are there$' \
    "$cats_dogs" predict "$work/cut.cnn" "$jpeg"
refuse '"[^"]*/text\.jpg": is no model file: it does not begin with a safetensors header$' \
    "$cats_dogs" predict "$bad/text.jpg" "$jpeg"
refuse 'cannot open "[^"]*/missing\.cnn": No such file or directory$' \
    "$cats_dogs" evaluate "$work/missing.cnn" "$drawings"
# A safetensors file of another program: one tensor of one number.
{
    printf '\100\000\000\000\000\000\000\000'
    printf '{"weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}     '
    printf '\000\000\200\077'
} >"$work/other.cnn"
refuse '"[^"]*/other\.cnn": is a safetensors file, but was not written by libcnn$' \
    "$cats_dogs" predict "$work/other.cnn" "$jpeg"

# ---- Options ----

refuse '--batch 0: wanted a whole number from 1 to 4096$' train "$drawings" --batch 0
refuse '--epochs ten: wanted a whole number from 1 to 1000000$' train "$drawings" --epochs ten
refuse '--size 99999999999999999999: wanted a whole number from 1 to 4096$' \
    train "$drawings" --size 99999999999999999999
refuse '--threads 257: wanted a whole number from 1 to 256$' train "$drawings" --threads 257
refuse '--seed -1: wanted a whole number from 0 to [0-9]+$' train "$drawings" --seed -1
refuse '--learning-rate nan: wanted a number above 0 and below 1000$' \
    train "$drawings" --learning-rate nan
refuse '--validation 1: wanted a number above 0 and below 1$' train "$drawings" --validation 1
refuse '--mixup -1: wanted a number from 0 to 1000$' train "$drawings" --mixup -1
refuse '--label-smoothing 1: wanted a number from 0 to 0\.99$' \
    train "$drawings" --label-smoothing 1
refuse '--erase nan: wanted a number from 0 to 1$' train "$drawings" --erase nan
refuse '--hue 1x: wanted a number from 0 to 180$' train "$drawings" --hue 1x
refuse '--class-weights even: wanted balanced or none$' \
    "$cats_dogs" train "$drawings" --output "$output" --class-weights even
refuse 'alpha is 0\.0001, must be 0, or 0\.001 to 1000$' \
    "$cats_dogs" train "$drawings" --output "$output" --network classic --cutmix 0.0001
refuse '--schedule linear: wanted cosine or one-cycle$' \
    "$cats_dogs" train "$drawings" --output "$output" --schedule linear
refuse '--ema 1: wanted a number from 0 to 0\.9999$' train "$drawings" --ema 1
refuse '--optimizer adam: wanted adamw or sgd$' \
    "$cats_dogs" train "$drawings" --output "$output" --optimizer adam
refuse '--accumulate 0: wanted a whole number from 1 to 4096$' train "$drawings" --accumulate 0
refuse '--patience 0: wanted a whole number from 1 to 1000000$' train "$drawings" --patience 0
refuse '--network lenet: wanted classic, default, resnet, vgg, resnet18 or mobilenet_v2$' \
    "$cats_dogs" train "$drawings" --output "$output" --network lenet
refuse '--size 4 does not fit the network classic: .* a 3x3 kernel .*, larger than its' \
    "$cats_dogs" train "$drawings" --output "$output" --network classic --size 4
refuse '--size 8 does not fit the network default: .* a 2x2 window, larger than its' \
    "$cats_dogs" train "$drawings" --output "$output" --size 8
refuse '--frobnicate: no such option; see cats-dogs --help$' train "$drawings" --frobnicate
refuse '--epochs: wanted a value behind it$' "$cats_dogs" train "$drawings" --epochs
refuse '-epochs: no such option; see cats-dogs --help$' train "$drawings" -epochs 5
refuse '--epoch: no such option; see cats-dogs --help$' train "$drawings" --epoch 5
refuse '--s: no such option; see cats-dogs --help$' train "$drawings" --s 5
refuse '--quiet=1: found a value, wanted --quiet alone$' train "$drawings" --quiet=1
refuse '--count: no such option; see cats-dogs --help$' train "$drawings" --count 5
refuse '--output: found nothing, wanted a name$' train "$drawings" --output=
run 0 "$cats_dogs" train --output="$output" --network=classic --size=16 --epochs=1 --quiet -- \
    "$drawings"
rm "$output"
refuse 'train: found 2 operands, wanted \[DATA\]; see cats-dogs --help$' \
    train "$drawings" "$drawings"
refuse 'predict: found 1 operands?, wanted MODEL IMAGE\.\.\.; see cats-dogs --help$' \
    "$cats_dogs" predict "$good_model"
refuse 'bark: no such command; wanted train, evaluate, report, predict, check or draw' \
    "$cats_dogs" bark
refuse 'no command; wanted train, evaluate, report, predict, check or draw' "$cats_dogs"
finish
