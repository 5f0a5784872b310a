"""What a check's shell text hides, told from its grammar."""

from __future__ import annotations

import pytest
from autoresearch.setup import shelltext
from autoresearch.setup.shelltext import Lost


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("python3 bench.py; cat out.json", Lost(unseen=("python3",))),
        ("./build.sh\n./bench", Lost(unseen=("build.sh",))),
        ("cargo bench & sleep 1; cat out", Lost(unseen=("cargo",))),
        ("bash -c 'node bench.js; cat out'", Lost(unseen=("node",))),
        ('echo "METRIC n=$(mypy src)"', Lost(unseen=("mypy",))),
        ("export n=`mypy src`; echo $n", Lost(unseen=("mypy",))),
        ("(python3 bench.py; true) && cat out", Lost(unseen=("python3",))),
        ("{ (cd x && ./bench); }; cat out", Lost(unseen=("bench",))),
        ("set -e; ./a && ./b; cat out", Lost(unseen=("a",))),
        ("set -e; ./a; set +e; ./b; cat out", Lost(unseen=("b",))),
        ("./a; set -e; ./b; cat out", Lost(unseen=("a",))),
        ("for i in 1 2 3; do ./bench $i; done; cat out", Lost(unseen=("bench",))),
        ("case $x in a) ./bench;; esac; cat out", Lost(unseen=("bench",))),
        ("./bench || true; cat out.json", Lost(unseen=("bench",))),
        ("./bench || echo METRIC n=0", Lost(replaced=("bench",))),
        ("cat src/value || echo 0", Lost(replaced=("cat",))),
        ("if ./bench; then cat out; else echo 0; fi", Lost(replaced=("bench",))),
        ("if test -e out; then cat out; else ./make_out; fi", Lost()),
        ("grep -q x f || echo 0", Lost()),
        ("make -si bench", Lost(unseen=("make",))),
        ("make -s bench", Lost()),
        ("./a && ./b || cat old.json", Lost(replaced=("a", "b"))),
        ("mypy src | wc -l", Lost(piped=("mypy",))),
        ("./bench 2>&1 | tee log | tail -1", Lost(piped=("bench",))),
        ("(./bench; cat out) | tail -1", Lost(piped=("bench",))),
        ("set -e; mypy src | wc -l", Lost(piped=("mypy",))),
        ("set -o pipefail; mypy src | wc -l", Lost()),
        ("bash -eo pipefail -c 'mypy src | wc -l; cat out'", Lost()),
        ("bash -ec './bench; cat out'", Lost()),
        ("python3 bench.py && cat out.json", Lost()),
        ("set -eu\npython3 bench.py\ncat out.json", Lost()),
        ("set -o errexit; python3 bench.py; cat out.json", Lost()),
        ("cd src; export A=1; python3 bench.py", Lost()),
        ("n=$(python3 bench.py) && echo METRIC n=$n", Lost()),
        ("out=$(mypy src); test $? -le 1 && echo 3", Lost()),
        ("./bench >out 2>&1; rc=$?; cat out; exit $rc", Lost()),
        ("./bench || { cat log >&2; exit 1; }; cat out", Lost()),
        ("if ./bench; then cat out; fi", Lost()),
        ("./bench & wait $!; cat out", Lost()),
        ("mypy src || true", Lost()),
        ("echo 3 | wc -c", Lost()),
        ("awk '{print $1; x}' out # ; ./a | b", Lost()),
        ("cat <<EOF\na; b | c\nEOF\n", Lost()),
        ("echo 'unclosed; ./x", Lost()),
    ],
)
def test_hidden_failures(text: str, hidden: Lost):
    assert shelltext.lost(text) == hidden


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("source env/bin/activate && python3 bench.py", "source"),
        ("if [[ -f x ]]; then echo 3; fi", "[["),
        ("a=(1 2) && echo 3", "arrays (a=(…))"),
        ("for i in {1..3}; do ./bench; done", "ranges such as {1..3}"),
        ('echo "${a[0]}"', "${a[0]}"),
        ("echo ${x//a/b}", "${x//a/b}"),
        ("diff <(./a) <(./b)", "<("),
        ("((i++)); echo 3", "(("),
        ("./b &> out", "&>"),
        ("cat <<< x", "<<<"),
        ("echo $RANDOM", "$RANDOM"),
        ("bash -c 'source env && a=(1)'", ""),
        ("awk '{print $1}' out; echo '{1..3}'", ""),
        ('a=$(./bench) && echo METRIC a=$((a+1)) "${b:-x}" ${c%.*}', ""),
        ('echo "a=(1 2)"; (cd a; (./b))', ""),
        (". env/bin/activate && ./bench", ""),
    ],
)
def test_words_that_only_bash_knows(text: str, word: str):
    assert shelltext.only_bash(text) == word
