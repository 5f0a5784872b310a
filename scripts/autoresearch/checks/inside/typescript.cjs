// Asks the project's TypeScript what it thinks: type errors, `any` types, casts, exported declarations.
// argv[2] is the question as JSON; the answer goes to the file it names. Files: [path, line, text, rule].
"use strict"
const fs = require("fs")
const path = require("path")
const ask = JSON.parse(process.argv[2])
const answer = value => fs.writeFileSync(ask.answer, JSON.stringify(value))
const IMPLICIT = new Set([7005, 7006, 7008, 7009, 7010, 7011, 7013, 7015, 7016, 7017, 7018, 7019, 7020, 7022, 7023, 7024, 7025, 7031, 7032, 7033, 7034, 7052, 7053, 7055, 7057])

function compiler() {
  let old = ""
  for (const name of ["typescript", "typescript5"])
    for (const base of ask.modules) {
      let found
      try { found = require(require.resolve(name, {paths: [base]})) } catch { continue }
      if (found.createProgram && found.forEachChild) return found
      old = found.version || "another one"
    }
  answer({refused: old
    ? `TypeScript ${old} has no parser that a program can call, expected one up to 5.9; npm install --save-dev typescript5@npm:typescript@5`
    : "typescript is not installed here, expected it in node_modules; install: npm install --save-dev typescript"})
  return null
}

const ts = compiler()
if (ts) answer(look())

function look() {
  const {programs, refused} = load()
  if (refused) return {refused}
  const found = {errors: [], implicit: [], any: [], casts: 0, bangs: 0, files: 0, exports: []}
  const seen = new Set()
  for (const program of programs) {
    const wrong = program.getSyntacticDiagnostics()
    if (wrong.length) return {refused: "a file does not parse, expected a whole program: " + row(wrong[0]).slice(0, 3).join(":")}
    for (const one of ts.getPreEmitDiagnostics(program)) {
      const hidden = ask.implicit && IMPLICIT.has(one.code)
      const place = row(one)
      if (seen.has(place.join("\0")) || one.category !== ts.DiagnosticCategory.Error) continue
      seen.add(place.join("\0"))
      found[hidden ? "implicit" : "errors"].push(place)
    }
    for (const file of program.getSourceFiles())
      if (own(program, file) && !seen.has(file.fileName)) { seen.add(file.fileName); count(file, found) }
    if (ask.exports) declarations(program, found.exports)
  }
  if (!found.files) return {refused: "no TypeScript file was looked at, expected some; see include in tsconfig.json and the paths given"}
  return found
}

function load() {
  const given = ts.parseCommandLine(ask.options || [])
  if (given.errors.length) return {refused: `the compiler does not take ${ask.options.join(" ")}: ${text(given.errors[0])}; mend the --option`}
  if (!ask.projects.length) {
    const all = ask.paths.length ? ask.paths : [ask.root]
    const scripts = given.options.allowJs || given.options.checkJs ? [".js", ".jsx", ".mjs", ".cjs"] : []
    const names = all.flatMap(p => fs.statSync(p).isDirectory() ? ts.sys.readDirectory(p, [".ts", ".tsx", ".mts", ".cts", ...scripts], ["**/node_modules/**"]) : [p])
    return {programs: [ts.createProgram(names, options({...assumed(), ...given.options, noEmit: true}))]}
  }
  const programs = [], queue = [...ask.projects], known = new Set()
  while (queue.length) {
    const config = queue.shift()
    if (known.has(config)) continue
    known.add(config)
    const fatal = []
    const host = {...ts.sys, onUnRecoverableConfigFileDiagnostic: one => fatal.push(one)}
    const parsed = ts.getParsedCommandLineOfConfigFile(config, {...given.options, noEmit: true}, host)
    const wrong = [...fatal, ...(parsed ? parsed.errors : [])].filter(one => one.code !== 18002 && one.code !== 18003)
    if (wrong.length) return {refused: `${config} is not understood: ${text(wrong[0])}; mend it`}
    for (const other of parsed.projectReferences || []) queue.push(ts.resolveProjectReferencePath(other))
    if (parsed.fileNames.length)
      programs.push(ts.createProgram({rootNames: parsed.fileNames, options: options(parsed.options), projectReferences: parsed.projectReferences}))
  }
  return {programs}
}

// What stands for a tsconfig.json where there is none: what `tsc --init` writes, for code that a bundler builds.
function assumed() {
  const kinds = ts.ModuleResolutionKind
  return {strict: true, skipLibCheck: true, esModuleInterop: true, resolveJsonModule: true, target: ts.ScriptTarget.Latest,
    module: ts.ModuleKind.ESNext, moduleResolution: kinds.Bundler ?? kinds.Node10 ?? 2, jsx: ts.JsxEmit.Preserve,
    ...(kinds.Bundler ? {allowImportingTsExtensions: true} : {})}
}

function options(given) {
  const changed = {...given}
  if (ask.implicit) changed.noImplicitAny = true
  if (ask.exports) Object.assign(changed, {declaration: true, noEmit: false, emitDeclarationOnly: true, declarationMap: false, noEmitOnError: false})
  return changed
}

function own(program, file) {
  if (program.isSourceFileDefaultLibrary(file) || program.isSourceFileFromExternalLibrary(file)) return false
  if (file.fileName.includes("/node_modules/")) return false
  const full = path.resolve(file.fileName)
  return !ask.paths.length || ask.paths.some(p => full === path.resolve(p) || full.startsWith(path.resolve(p) + path.sep))
}

function count(file, found) {
  found.files++
  const lines = file.text.split(/\r?\n/)
  const visit = node => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) {
      const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line
      found.any.push([file.fileName, line + 1, lines[line].trim(), "any"])
    }
    const cast = ts.isAsExpression(node) || (ts.isTypeAssertionExpression || ts.isTypeAssertion)(node)
    if (cast && node.type.getText(file) !== "const") found.casts++
    if (ts.isNonNullExpression(node)) found.bangs++
    ts.forEachChild(node, visit)
  }
  visit(file)
}

function text(one) { return ts.flattenDiagnosticMessageText(one.messageText, " ") }  // hoisted: used above

function row(one) {
  const line = one.file ? one.file.getLineAndCharacterOfPosition(one.start).line + 1 : 0
  return [one.file ? one.file.fileName : ask.projects[0] || ask.root, line, text(one), "TS" + one.code]
}

// Every name that the package's entry exports (without one: that any source file exports) with its declared type, as
// the compiler writes it for users of the library.
function declarations(program, exports) {
  const printer = ts.createPrinter({removeComments: true}), offered = entryNames(program)
  for (const source of program.getSourceFiles()) {
    if (!own(program, source) || source.isDeclarationFile) continue
    program.emit(source, (name, written) => {
      const file = ts.createSourceFile(name, written, ts.ScriptTarget.Latest, true)
      for (const node of file.statements) {
        const flags = (ts.getModifiers ? ts.canHaveModifiers(node) && ts.getModifiers(node) : node.modifiers) || []
        const shown = ts.isExportDeclaration(node) || ts.isExportAssignment(node) || flags.some(m => m.kind === ts.SyntaxKind.ExportKeyword)
        if (!shown || (offered && !names(node, file).some(one => offered.has(source.fileName + "\0" + one)))) continue
        exports.push([source.fileName, label(node, file), printer.printNode(ts.EmitHint.Unspecified, node, file).replace(/\s+/g, " ")])
      }
    }, undefined, true)
  }
}

function names(node, file) {
  if (node.declarationList) return node.declarationList.declarations.map(d => d.name.getText(file))
  if (ts.isExportAssignment(node)) return ["default"]
  const main = (node.modifiers || []).some(m => m.kind === ts.SyntaxKind.DefaultKeyword)  // by that name for its users
  return [node.name ? node.name.getText(file) : "*", ...(main ? ["default"] : [])]
}

// "file\0name" of each declaration behind a name that the entry exports, and of the entry's own lists of exports.
function entryNames(program) {
  const wanted = new Set((ask.entries || []).map(p => path.resolve(p)))
  const entries = program.getSourceFiles().filter(file => wanted.has(path.resolve(file.fileName)))
  if (!entries.length) return null
  const checker = program.getTypeChecker(), found = new Set()
  for (const entry of entries) {
    found.add(entry.fileName + "\0*"), found.add(entry.fileName + "\0default")
    const symbol = checker.getSymbolAtLocation(entry)
    for (const exported of symbol ? checker.getExportsOfModule(symbol) : []) {
      const target = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
      for (const node of target.declarations || [])
        found.add(node.getSourceFile().fileName + "\0" + (exported.name === "default" && !target.name ? "default" : target.name))
    }
  }
  return found
}

function label(node, file) {
  if (node.name) return node.name.getText(file)
  if (node.declarationList) return node.declarationList.declarations.map(d => d.name.getText(file)).join(", ")
  return ts.isExportAssignment(node) ? "default" : node.getText(file).replace(/\s+/g, " ").slice(0, 80)
}
