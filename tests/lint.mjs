/**
 * Checks types and lints with the same programs of TypeScript, so that types are computed once:
 *
 *     node tests/lint.mjs sources     types but those of the page; lints all but the page and tests
 *     node tests/lint.mjs others      types of the page; lints the page and the tests
 *
 * `npx tsc --noEmit`, `npx tsc --noEmit --project ui/web` and `npx eslint .` find the same.
 */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ESLint } from 'eslint'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const OTHERS = ['tests', 'ui/web']

const PARTS = {
  sources: { checked: 'main', linted: ['.'], ignored: OTHERS.map((folder) => `${folder}/**`) },
  others: { checked: 'page', linted: OTHERS, ignored: [] },
}

/** Reads a project as `tsc --project` does. */
function programOf(file) {
  const path = join(ROOT, file)
  const { config, error } = ts.readConfigFile(path, ts.sys.readFile)
  if (error) return { program: undefined, errors: [error] }
  const { fileNames, options, errors } = ts.parseJsonConfigFileContent(config, ts.sys, dirname(path))
  // The rules of typescript-eslint need the parents of nodes.
  const host = ts.createCompilerHost(options, true)
  return { program: ts.createProgram(fileNames, options, host), errors }
}

/** The messages about the types of a project, as `tsc` prints them. */
function problemsOf({ program, errors }) {
  const diagnostics = [...errors, ...(program ? ts.getPreEmitDiagnostics(program) : [])]
  return ts.formatDiagnostics(ts.sortAndDeduplicateDiagnostics(diagnostics), {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => ROOT,
    getNewLine: () => '\n',
  })
}

const { checked, linted, ignored } = PARTS[process.argv[2]] ?? {}
if (!checked) {
  console.error(`Usage: node tests/lint.mjs ${Object.keys(PARTS).join('|')}`)
  process.exit(2)
}

const projects = {
  main: programOf('tsconfig.json'),
  ...(checked === 'page' && { page: programOf('ui/web/tsconfig.json') }),
}
const problems = problemsOf(projects[checked])

const typesFrom = (files, { program }) => ({
  files,
  languageOptions: { parserOptions: { projectService: false, programs: program ? [program] : [] } },
})
const eslint = new ESLint({
  cwd: ROOT,
  ignorePatterns: ignored,
  overrideConfig: [
    typesFrom(['**/*.ts', '**/*.tsx'], projects.main),
    ...(projects.page ? [typesFrom(['ui/web/**/*.ts', 'ui/web/**/*.tsx'], projects.page)] : []),
  ],
})
const results = await eslint.lintFiles(linted)
const formatter = await eslint.loadFormatter('stylish')
process.stdout.write(problems + (await formatter.format(results)))
if (problems || results.some(({ errorCount }) => errorCount > 0)) process.exitCode = 1
