import os
import tempfile
import unittest

from concord.source import read_lines


class ReadLines(unittest.TestCase):
    def read(self, data):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "sample.py")
            with open(path, "wb") as file:
                file.write(data)
            return read_lines(path)

    def test_line_ends_are_gone(self):
        self.assertEqual(self.read(b"one\n\n  two \nthree"), ["one", "", "  two ", "three"])
        self.assertEqual(self.read(b"one\r\ntwo\r\n"), ["one", "two"])

    def test_form_feed_ends_no_line(self):
        self.assertEqual(self.read(b"one\n\x0c\ntwo\n"), ["one", "\x0c", "two"])

    def test_empty_file(self):
        self.assertEqual(self.read(b""), [])

    def test_wrong_encoding_is_no_error(self):
        self.assertEqual(self.read(b"caf\xe9\n"), ["caf\ufffd"])


if __name__ == "__main__":
    unittest.main()
