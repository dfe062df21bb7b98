#!/bin/sh
# SPDX-License-Identifier: MIT
# cats-dogs on other pictures than cats and dogs: any number of classes, folders with and without
# test pictures, and how tables of few and of many classes look.
set -u
. "$(dirname "$0")/common.sh"

animals=$work/animals
model=$work/models/a.cnn
small="--network classic --size 24 --batch 16"

run 0 "$cats_dogs" draw "$animals" --kinds 3 --count 240
[ "$(find "$animals/train/rabbits" -type f | wc -l)" -eq 80 ] || fail "draw: wanted 80 rabbits"
[ "$(find "$animals/test/rabbits" -type f | wc -l)" -eq 13 ] || fail "draw: wanted 13 test rabbits"

# ---- A folder of classes and nothing else ----

# shellcheck disable=SC2086 # several options
run 0 "$cats_dogs" train "$animals/train" --output "$model" $small --epochs 1 --seed 1
expect_no_errors
expect_output '^training +195 pictures: 65 cats, 65 dogs, 65 rabbits$' \
    '^validation +21 pictures: 7 cats, 7 dogs, 7 rabbits$' \
    '^test +24 pictures: 8 cats, 8 dogs, 8 rabbits$' '^ +no test folder: .* set aside' \
    '^actual +cats +dogs +rabbits$' '^rabbits( +[0-9]+){3}$' '^top-2 accuracy [01]\.[0-9]{4}$'
expect_last '^accuracy [01]\.[0-9]{4} \([0-9]+/24\)$'
grep -q ROC "$work/out" && fail "a ROC curve of three classes"

# How much is set aside can be said, and a test folder is always taken instead.
# shellcheck disable=SC2086
run 0 "$cats_dogs" train "$animals/train" --output "$work/models/b.cnn" $small --epochs 1 \
    --test 0.3 --validation 0.2
expect_output '^training +135 pictures' '^validation +33 pictures' '^test +72 pictures'
# shellcheck disable=SC2086
run 0 "$cats_dogs" train "$animals/train" --output "$work/models/b.cnn" $small --epochs 1 --test 0
expect_output '^training +216 pictures' '^test +none: no test folder, and --test 0$'
expect_last '^best model: '
# shellcheck disable=SC2086
run 0 "$cats_dogs" train "$animals" --output "$work/models/b.cnn" $small --epochs 1
expect_output '^training +216 pictures' '^test +40 pictures: 14 cats, 13 dogs, 13 rabbits$'
grep -q 'set aside' "$work/out" && fail "pictures set aside beside a test folder"

# A folder for the validation is taken, too, under each of its names.
parts=$work/parts
mkdir "$parts"
cp -r "$animals/train" "$parts"
cp -r "$animals/test" "$parts/validation"
# shellcheck disable=SC2086
run 0 "$cats_dogs" train "$parts" --output "$model" $small --epochs 1 --validation 0.5
expect_output '^training +240 pictures' '^validation +40 pictures: 14 cats, 13 dogs, 13 rabbits$' \
    '^ +those of the validation folder$' \
    '^test +none: no test folder; measured on the validation pictures$' \
    '^no test pictures: what follows is of those that the best model was chosen by' \
    '^measured on the validation pictures, each as it is \(--no-flip-average\)$'
expect_last '^accuracy [01]\.[0-9]{4} \([0-9]+/40\)$'
chosen=$(sed -n 's/^best model: .* validation accuracy \([01.0-9]*\), .*/\1/p' "$work/out")
tail -n 1 "$work/out" | grep -q "^accuracy $chosen " || fail 'the best model has another accuracy'
sed -n '/^measured on /,$p' "$work/out" >"$work/trained"
run 0 "$cats_dogs" evaluate "$model" "$parts"
cmp -s "$work/out" "$work/trained" || fail 'evaluate takes other pictures than those of validation'

# A share of the others is set aside beside it only if that is asked for.
mv "$parts/validation" "$parts/val"
# shellcheck disable=SC2086
run 0 "$cats_dogs" train "$parts" --output "$model" $small --epochs 1 --test 0.1
expect_output '^training +216 pictures' '^validation +40 pictures' '^test +24 pictures' \
    '^measured on the test pictures, '
expect_last '^accuracy [01]\.[0-9]{4} \([0-9]+/24\)$'
cp -r "$animals/test" "$parts/test"
# shellcheck disable=SC2086
run 0 "$cats_dogs" train "$parts" --output "$model" $small --epochs 1
expect_output '^training +240 pictures' '^validation +40 pictures' '^test +40 pictures'
rm -r "$parts/val/rabbits" "$work/models"/*
refuse 'parts: found the classes cats, dogs, wanted those of the model: cats, dogs, rabbits$' \
    "$cats_dogs" train "$parts" --output "$model"

# Which pictures are set aside does not follow the seed: of some bad ones, the same are met at the
# end.
cp -r "$animals/train" "$work/damaged"
for picture in "$work"/damaged/*/*[37].jpg; do
    echo 'no picture' >"$picture"
done
tested() { # SEED: the bad pictures that were to be tested on
    # shellcheck disable=SC2086
    "$cats_dogs" train "$work/damaged" --output "$work/models/b.cnn" $small --epochs 1 \
        --seed "$1" 2>&1 | sed '1,/^best model/d' | grep 'skipped a bad sample' | sort
}
tested 1 >"$work/tested_1"
tested 2 >"$work/tested_2"
[ -s "$work/tested_1" ] || fail "wanted bad pictures among those that were set aside"
cmp -s "$work/tested_1" "$work/tested_2" || fail "other test pictures with another seed"

# A class that is too small gives nothing to the test.
mkdir -p "$work/few/a" "$work/few/b"
cp "$animals"/test/cats/* "$work/few/a"
for i in 1 2; do
    cp "$animals/test/dogs/dog.0000$i.jpg" "$animals/test/dogs/dog.0000$i.png" "$work/few/b" \
        2>/dev/null || :
done
[ "$(find "$work/few/b" -type f | wc -l)" -eq 2 ] || fail "wanted two dogs"
# shellcheck disable=SC2086
run 0 "$cats_dogs" train "$work/few" --output "$work/models/b.cnn" $small --epochs 1
expect_output '^test +none: no test folder, and b has too few pictures'
rm -f "$work/models"/*
refuse '--test 1: wanted a number from 0 to 0.99$' \
    "$cats_dogs" train "$animals" --output "$work/b.cnn" --test 1
refuse '--kinds 4: wanted a whole number from 2 to 3$' "$cats_dogs" draw "$work/none" --kinds 4

# ---- Tables of many classes ----

# classes COUNT PATTERN: a data set of so many classes, named by a printf pattern, and the figures
# of a network that has learnt nothing.
classes() {
    rm -rf "$work/many"
    i=1
    while [ "$i" -le "$1" ]; do
        # shellcheck disable=SC2059 # the pattern is ours
        name=$work/many/$(printf "$2" "$i")
        mkdir -p "$name"
        for picture in "$animals"/test/cats/cat.0000[1-4].*; do
            cp "$picture" "$name/$i.${picture##*/}"
        done
        i=$((i + 1))
    done
    # shellcheck disable=SC2086
    run 0 "$cats_dogs" train "$work/many" --output "$work/models/m.cnn" $small --epochs 1
    expect_no_errors
    widest=$(sed -n '/^best/,$p' "$work/out" | tail -n +2 |
        awk 'length > most { most = length } END { print most + 0 }')
    [ "$widest" -le 100 ] || fail "$1 classes: a line of $widest columns"
}

classes 8 'class %02d'
expect_output '^actual( +class 0[1-8]){8}$' '^class 08( +[0-9]+){8}$' '^top-5 accuracy '
classes 12 'a long name, number %02d'
expect_output '^training +24 pictures: 12 classes of 2 to 2$' '^ +predicted$' \
    '^actual( +[0-9]+){12}$' '^12 a long name, number 12( +[0-9]+){12}$' \
    '^a long name, number 12 +1( +([01]\.[0-9]+|-)){3}$'
classes 40 'Blüte %02d'
expect_output '^mistakes, the most frequent first$' \
    '^ [0-9]  Blüte [0-9]+  taken for  Blüte [0-9]+$' \
    '^Blüte 40 {9}1  ' '^\(mean\) {10}40 '
expect_last '\([0-9]+/40\)$'
[ "$(grep -c '  taken for  ' "$work/out")" -le 20 ] || fail "more than 20 kinds of mistakes"
finish
