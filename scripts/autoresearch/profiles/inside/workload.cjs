// Repeats one JavaScript call for some seconds of processor time, to be profiled. argv[2] is JSON: setup, code, seconds.
"use strict"
const {createRequire} = require("module")
const ask = JSON.parse(process.argv[2])
const AsyncFunction = (async () => {}).constructor
const spent = () => process.cpuUsage().user / 1e6

async function main() {
  const load = createRequire(process.cwd() + "/")
  const waits = ask.code.includes("await") ? "async " : ""
  const call = await new AsyncFunction("require", ask.setup + "\n;return " + waits + "() => (" + ask.code + ")")(load)
  const end = spent() + ask.seconds
  do {
    for (let turn = 0; turn < 10; turn++) {
      const result = call()
      if (result && typeof result.then === "function") await result
    }
  } while (spent() < end)
}

main().catch(error => { console.error(error); process.exitCode = 1 })
