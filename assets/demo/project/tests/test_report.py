import os
import tempfile
import textwrap
import unittest
from collections import Counter

from concord.index import Place, build
from concord.ranking import most_spread, most_used, spread
from concord.report import summary
from concord.scan import code_lines, is_name, words
from concord.source import read_lines
from concord.spelling import fold, variants

FIRST = '''\
"""Names like os do not count
in a docstring."""
import os  # nor here: os

def file_name(path):
    return os.path.basename(path) + "path" + path
'''
SECOND = """\
def show(filename, FileName=None):
    print(filename, path)
"""


def uses_of(**counts):
    return {name: [Place("a.py", line) for line in range(count)] for name, count in counts.items()}


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.first = self.write(folder.name, "first.py", FIRST)
        self.second = self.write(folder.name, "second.py", SECOND)

    def write(self, folder, name, text):
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


class Build(Files):
    def test_every_use_has_its_place(self):
        uses = build([self.first, self.second])
        self.assertEqual(uses["os"], [Place(self.first, 3), Place(self.first, 6)])
        self.assertEqual(uses["filename"], [Place(self.second, 1), Place(self.second, 2)])

    def test_two_uses_in_one_line_are_two(self):
        lines = [place.line for place in build([self.first])["path"]]
        self.assertEqual(lines, [5, 6, 6, 6])

    def test_keywords_are_no_names(self):
        uses = build([self.first, self.second])
        self.assertEqual(set(uses) & {"def", "import", "return", "None"}, set())

    def test_counts_on_real_source(self):
        path = textwrap.__file__
        lines = code_lines(read_lines(path))
        expected = Counter(word for line in lines for word in words(line) if is_name(word))
        self.assertEqual({name: len(places) for name, places in build([path]).items()}, dict(expected))

    def test_no_files(self):
        self.assertEqual(build([]), {})


class Rankings(unittest.TestCase):
    def test_most_used_first(self):
        self.assertEqual(most_used(uses_of(few=1, many=9, some=4), 2), ["many", "some"])

    def test_ties_by_alphabet(self):
        self.assertEqual(most_used(uses_of(c=2, a=2, b=2, d=3), 3), ["d", "a", "b"])

    def test_limit_beyond_the_names(self):
        self.assertEqual(most_used(uses_of(only=1), 5), ["only"])
        self.assertEqual(most_used({}, 5), [])

    def test_spread_counts_files_not_uses(self):
        self.assertEqual(spread([Place("a", 1), Place("a", 2), Place("b", 1)]), 2)

    def test_most_spread_first_ties_by_alphabet(self):
        uses = uses_of(loud=9, b=1, a=1)
        uses["wide"] = [Place("a.py", 1), Place("b.py", 1)]
        self.assertEqual(most_spread(uses, 3), ["wide", "a", "b"])


class Variants(unittest.TestCase):
    def test_fold(self):
        for name in ("file_name", "fileName", "FILE_NAME", "_filename", "__file_name__"):
            self.assertEqual(fold(name), "filename")

    def test_groups(self):
        uses = uses_of(fileName=3, file_name=1, path=7, Path=1, other=1)
        self.assertEqual(variants(uses), [["Path", "path"], ["fileName", "file_name"]])

    def test_only_underscores(self):
        self.assertEqual(variants(uses_of(_=1, __=1, a=1)), [["_", "__"]])

    def test_none(self):
        self.assertEqual(variants(uses_of(one=1, two=2)), [])


class Summary(Files):
    def test_whole_report(self):
        expected = """\
            8 names in 2 files

            Most used
            path                     5  def file_name(path):
            filename                 2  def show(filename, FileName=None):

            In most files
            path, FileName

            Spelled in several ways
            FileName, file_name, filename"""
        self.assertEqual(summary([self.first, self.second], limit=2), textwrap.dedent(expected))


if __name__ == "__main__":
    unittest.main()
