// Times one JavaScript call and writes the result to a file. argv[2] is JSON: setup, code, repeats, wall, answer.
// `require` and `await` work in setup and code; a promise is awaited. Without `wall` the processor's time counts.
"use strict"
const fs = require("fs")
const {createHash} = require("crypto")
const {createRequire} = require("module")
const ask = JSON.parse(process.argv[2])
const AsyncFunction = (async () => {}).constructor

function plain(value) {
  const seen = new Set()
  const sorted = (key, item) => {
    if (typeof item === "bigint") return String(item) + "n"
    if (typeof item === "function") return "function " + item.name
    if (item instanceof Map) return [...item]
    if (item instanceof Set) return [...item]
    if (item && typeof item === "object" && !Array.isArray(item)) {
      if (seen.has(item)) return "again"
      seen.add(item)
      return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
    }
    return item
  }
  return String(JSON.stringify(value, sorted))
}

const clock = () => {
  if (ask.wall) return performance.now()
  const used = process.cpuUsage()
  return (used.user + used.system) / 1000
}

async function main() {
  const load = createRequire(process.cwd() + "/")
  const call = /\bawait\b/.test(ask.code) ? "async () => (" : "() => ("
  const space = await new AsyncFunction("require", ask.setup + "\n;const __call = " + call + ask.code + ");\nreturn [__call]")(load)
  const result = async () => await space[0]()
  // One look at the clock for many calls: it costs more than a short one.
  const spent = async times => {
    const start = clock()
    for (let turn = 0; turn < times; turn++) {
      const got = space[0]()
      if (got && typeof got.then === "function") await got
    }
    return clock() - start
  }
  const text = plain(await result())
  if (plain(await result()) !== text) throw new Error("two calls return different results; fix seeds, and set up again what a call uses up")
  await spent(3) // the engine compiles what is hot
  let least = Infinity, times = 1
  while (times < 1e6 && (await spent(times)) < 5) times *= 2 // 5 ms a repeat at least
  for (let turn = 0; turn < ask.repeats; turn++) least = Math.min(least, (await spent(times)) / times)
  const output = createHash("sha256").update(text).digest("hex")
  fs.writeFileSync(ask.answer, JSON.stringify({ms: least, output, shown: text.slice(0, 160)}))
}

main().catch(error => { console.error(error); process.exitCode = 1 })
