import keyword
import re
import textwrap
import unittest

from concord.scan import code, code_lines, is_name, words
from concord.source import read_lines


class Code(unittest.TestCase):
    def test_cuts_the_comment(self):
        self.assertEqual(code("total = 1  # of all"), "total = 1  ")
        self.assertEqual(code("# nothing else"), "")

    def test_cuts_strings(self):
        self.assertEqual(code("open('name', \"w\").close()"), "open(, ).close()")

    def test_keeps_everything_else(self):
        self.assertEqual(code("    return left or right"), "    return left or right")
        self.assertEqual(code(""), "")

    def test_hash_between_quotes_starts_no_comment(self):
        self.assertEqual(code("mark = '#' + tail  # why"), "mark =  + tail  ")

    def test_other_quote_within_a_string(self):
        self.assertEqual(code('say("it\'s", name)'), "say(, name)")

    def test_unclosed_quote_reaches_to_the_end(self):
        self.assertEqual(code("text = 'one # two"), "text = ")


class CodeLines(unittest.TestCase):
    def test_long_strings_are_empty_and_still_counted(self):
        lines = ["def f():", '    """One.', "", "    Two # x.", '    """', "    return 1  # yes"]
        self.assertEqual(code_lines(lines), ["def f():", "", "", "", "", "    return 1  "])

    def test_both_kinds_of_triple_quotes(self):
        self.assertEqual(code_lines(["'''", "x", "'''", "y"]), ["", "", "", "y"])

    def test_long_string_on_one_line(self):
        self.assertEqual(code_lines(['    """One."""', "x = 1"]), ["    ", "x = 1"])


class Words(unittest.TestCase):
    def test_splits_at_everything_that_is_no_word(self):
        self.assertEqual(words("a.b(c_d, e1)+_f"), ["a", "b", "c_d", "e1", "_f"])

    def test_word_at_the_very_end(self):
        self.assertEqual(words("return value"), ["return", "value"])

    def test_numbers_stay_words(self):
        self.assertEqual(words("x = 3.14e10"), ["x", "3", "14e10"])

    def test_letters_of_all_scripts(self):
        self.assertEqual(words("größe = длина ** 2"), ["größe", "длина", "2"])

    def test_none(self):
        self.assertEqual(words(""), [])
        self.assertEqual(words(" \t-->"), [])

    def test_agrees_with_a_pattern_on_real_text(self):
        for line in read_lines(textwrap.__file__):
            self.assertEqual(words(line), re.findall(r"\w+", line))


class IsName(unittest.TestCase):
    def test_names(self):
        for word in ("value", "_private", "__init__", "x", "T1", "größe", "print"):
            self.assertTrue(is_name(word), word)

    def test_numbers(self):
        for word in ("0", "14e10", "0x1f"):
            self.assertFalse(is_name(word), word)

    def test_keywords(self):
        for word in keyword.kwlist:
            self.assertFalse(is_name(word), word)


if __name__ == "__main__":
    unittest.main()
