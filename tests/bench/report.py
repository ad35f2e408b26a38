"""What was measured: a line each while it runs, and the table of docs/benchmarks.md."""
import datetime
import pathlib
import re
import shlex
import statistics
import subprocess
import sys

BEGIN, END = "<!-- written by ./dev bench --peers -->", "<!-- end of what it wrote -->"


def span(values, digits=1):
    middle, low, high = statistics.median(values), min(values), max(values)
    if middle >= 100:
        digits = 0
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def first_line(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()[0].strip()
    except (OSError, IndexError):
        return ""


def machine():
    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    system = re.search(r'PRETTY_NAME="(.*)"', pathlib.Path("/etc/os-release").read_text())
    return f"{cpu.group(1) if cpu else 'unknown processor'}, {system.group(1) if system else ''}, {first_line(['c++', '--version'])}"


class Report:
    def __init__(self, arguments, root):
        self.arguments, self.root, self.rows = arguments, root, []

    def head(self):
        kind = f"{self.arguments.pairs} pairs (ours and llama-cpp-python in turn)" if self.arguments.peers else f"{self.arguments.pairs} rounds, ours alone"
        return f"{kind}, {self.arguments.threads} threads; median (range)"

    def add(self, model, what, unit, our, their, shares=(), reads=(), less=False, digits=1):
        """`less`: smaller is better. Shares of the roof and read rates belong to ours."""
        ratios = [(b / a if less else a / b) for a, b in zip(our, their)]
        shares = [100 * share for share in shares if share is not None]
        self.rows.append({"model": model, "what": what, "unit": unit, "ours": our, "peer": their, "ratios": ratios, "digits": digits, "shares_of_roof": shares, "read_gb_per_s": list(reads)})
        line = f"{model}: {what:40s} {span(our, digits):24s} {unit:9s}"
        if their:
            line += f" beside {span(their, digits):24s} ratio {span(ratios, 2)}"
        if shares:
            line += f" {span(shares, 0)} % of the roof"
        if reads:
            line += f" (read {span(reads)} GB/s)"
        print(line, flush=True)

    def table(self):
        lines = ["| model | what | ours | llama-cpp-python | ratio | ours, % of the roof |", "|---|---|---|---|---|---|"]
        for row in self.rows:
            cells = [row["model"], row["what"] + (f", {row['unit']}" if row["unit"] else ""), span(row["ours"], row["digits"]), span(row["peer"], row["digits"]) if row["peer"] else "-",
                     span(row["ratios"], 2) if row["ratios"] else "-", span(row["shares_of_roof"], 0) if row["shares_of_roof"] else "-"]
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines)

    def block(self):
        peer = first_line([str(self.arguments.peer_python), "-c", "import llama_cpp; print(llama_cpp.__version__)"])
        reads = [value for row in self.rows for value in row["read_gb_per_s"]]
        day = datetime.date.today()
        text = f"{day.day} {day:%B %Y}, {machine()}, {self.arguments.threads} threads, llama-cpp-python {peer} built natively, {self.arguments.pairs} pairs, median (range)."
        if reads:
            text += f"\nThe memory was read at {span(reads)} GB/s meanwhile."
        command = " ".join(["./dev bench", *map(shlex.quote, sys.argv[1:])])
        return f"{text}\n\n`{command}`\n\n{self.table()}"

    def write(self, path):
        """Replaces what stands between the marks; a file without them gets both at its end."""
        text = path.read_text() if path.exists() else "# Benchmarks\n"
        if BEGIN in text and END in text.split(BEGIN, 1)[1]:
            before, rest = text.split(BEGIN, 1)
            after = rest.split(END, 1)[1]
        else:
            before, after = text.rstrip("\n") + "\n\n", "\n"
        unfinished = path.with_name(path.name + ".part")
        unfinished.write_text(f"{before}{BEGIN}\n{self.block()}\n{END}{after}")
        unfinished.replace(path)
        print(f"written: {path}")
