#!/bin/sh
# SPDX-License-Identifier: MIT
# A classifier that ends in scores and not in probabilities: whoever would speak of probabilities
# refuses it.  The second argument is the program make_scorer, which makes such models.
set -u
. "$(dirname "$0")/common.sh"
make_scorer=$2

data=$work/data
page=$work/models/page.html
run 0 "$cats_dogs" draw "$data" --count 12
picture=$(find "$data/test/cats" -type f | head -n 1)

# The commands that ask a model, each with what is left of its command line.
refuse_scores() {
    reason="\\.cnn: a model whose last layer is \"dense 2\"; wanted softmax, for probabilities\$"
    refuse "$reason" "$cats_dogs" predict "$1" "$picture"
    refuse "$reason" "$cats_dogs" report "$1" "$data" --output "$page"
    refuse "$reason" "$cats_dogs" check "$data" --model "$1"
}

# Below 0, and beyond what an int holds.
for scores in '-3 -4' '3e38 1'; do
    # shellcheck disable=SC2086 # two numbers
    run 0 "$make_scorer" "$work/scorer.cnn" $scores
    refuse_scores "$work/scorer.cnn"
    run 0 "$cats_dogs" evaluate "$work/scorer.cnn" "$data"
    expect_last '^accuracy 0\.5000 '
    grep -q 'log loss' "$work/out" && fail 'a log loss of what are no probabilities'
    # Dogs are never predicted: what that makes of the mean of precisions is said beside it.
    expect_output '^dogs +1 +- +0\.0000 +0\.0000$' '^\(mean\) +2 +0\.5000 +0\.5000 +0\.3333$' \
        '^the mean precision is over 1 of 2 classes: no picture was taken for the others$'
done

# The same scores with a softmax behind them.
run 0 "$make_scorer" "$work/sure.cnn" 3e38 1 softmax
run 0 "$cats_dogs" predict "$work/sure.cnn" "$picture"
expect_last '	cats	1\.0000$'
run 0 "$cats_dogs" report "$work/sure.cnn" "$data" --output "$page"
grep -q '90 to 100 %: 1 of 2 right' "$page" || fail 'the surest answers are not in the last bin'
grep -q 'The mean precision is over 1 of 2 classes' "$page" ||
    fail 'the page has a mean of one precision, and does not say so'
run 1 "$cats_dogs" check "$data" --model "$work/sure.cnn"
expect_output 'cats, probability 1\.0000$'
finish
