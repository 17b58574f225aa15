import { readFileSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join, relative, sep } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { cachedBuild, presentBuild } from './cached-build.mjs'
import { isInstalled, ROOT } from './checkout.mjs'

/**
 * The page of `zeroshift ui`, built from ui/web by Vite. The files are below `built/page` in a
 * folder that is named by the digest of all sources that they were built from. Scripts are classic
 * ones, so that they also work in an exported folder that a browser opens from disk.
 */

/** The scripts by name. Each is one file, and `charts` is loaded when a chart is shown. */
const SCRIPTS = { page: 'ui/web/main.tsx', charts: 'ui/web/charts/main.ts' }
/** Files that are copied as they are. */
const COPIED = ['index.html', 'icon.svg']
/** Files beside which a server finds them compressed, with the endings `.br` and `.gz`. */
const COMPRESSED = ['page.js', 'page.css', 'charts.js']
/** The options of the build, and the exact versions of the packages in it. */
const OPTIONS = ['infra/page.mjs', 'package.json']
const STYLE = 'report/render/style.ts'
const TSCONFIG = JSON.stringify({ compilerOptions: { verbatimModuleSyntax: true, target: 'ES2022' } })

const folderOf = (root) => join(root, 'built', 'page')

/**
 * Returns whether the page is built from the present sources.
 * @param {string} [root] the checkout
 * @returns {boolean}
 */
export function isPageBuilt(root = ROOT) {
  return presentBuild(root, folderOf(root)) !== undefined
}

/**
 * Returns the folder of the built page: index.html, icon.svg, page.js, page.css and charts.js, the
 * last three also compressed.
 * @param {string} [root] the checkout
 * @returns {Promise<string>}
 */
export async function builtPage(root = ROOT) {
  const folder = folderOf(root)
  const build = await cachedBuild({ root, folder, make: (outdir) => buildPage(root, outdir) })
  if (build !== undefined) return build
  throw new Error(
    isInstalled(root)
      ? `${folder} contains no build of the page; expected the files of the package as they were installed. Install zeroshift again.`
      : `${folder} contains no build of the present page, and none can be written there. Run \`node infra/bootstrap.mjs\` as a user who may write there.`,
  )
}

/** Builds the page into a folder. Returns the sources with their contents. */
async function buildPage(root, outdir) {
  const { build } = await import('vite')
  const sources = new Map()
  const record = (path) => {
    sources.set(relative(root, path).split(sep).join('/'), readFileSync(path, 'utf8'))
  }
  for (const path of [...OPTIONS, ...COPIED.map((name) => `ui/web/${name}`)]) record(join(root, path))
  for (const [name, entry] of Object.entries(SCRIPTS))
    await build({
      configFile: false,
      root: join(root, 'ui/web'),
      logLevel: 'warn',
      publicDir: false,
      define: { 'process.env.NODE_ENV': '"production"' },
      // A text keeps Vite from reading tsconfig.json, which is no source of the build.
      esbuild: { jsx: 'automatic', jsxImportSource: 'preact', tsconfigRaw: TSCONFIG },
      plugins: [withoutNode(), reportStyle(root, record), recordedSources(root, record)],
      build: {
        outDir: outdir,
        emptyOutDir: false,
        target: 'es2022',
        reportCompressedSize: false,
        copyPublicDir: false,
        cssCodeSplit: false,
        lib: {
          entry: join(root, entry),
          name: `zeroshift_${name}`,
          formats: ['iife'],
          fileName: () => `${name}.js`,
          cssFileName: name,
        },
      },
    })
  for (const name of COPIED) writeFileSync(join(outdir, name), readFileSync(join(root, 'ui/web', name)))
  for (const name of COMPRESSED) {
    const bytes = readFileSync(join(outdir, name))
    writeFileSync(join(outdir, `${name}.br`), brotliCompressSync(bytes))
    writeFileSync(join(outdir, `${name}.gz`), gzipSync(bytes, { level: 9 }))
  }
  return sources
}

/** Fails for modules of Node, which browsers do not have. */
function withoutNode() {
  const names = new Set(builtinModules)
  return {
    name: 'without-node',
    enforce: 'pre',
    resolveId(source, importer) {
      if (source.startsWith('node:') || names.has(source))
        throw new Error(`${importer} imports ${source}, but the page runs in a browser.`)
    },
  }
}

/**
 * Makes `report-style.css` the style sheet of the reports, with rules for a theme that the reader
 * has chosen.
 */
function reportStyle(root, record) {
  const id = '\0report-style.css'
  return {
    name: 'report-style',
    resolveId: (source) => (source === 'report-style.css' ? id : undefined),
    async load(asked) {
      if (asked !== id) return undefined
      const path = join(root, STYLE)
      record(path)
      const { transform } = await import('esbuild')
      const { code } = await transform(readFileSync(path, 'utf8'), { loader: 'ts', format: 'esm' })
      const { style, themes } = await import(`data:text/javascript,${encodeURIComponent(code)}`)
      const chosen = Object.entries(themes).map(
        ([name, colours]) => `:root[data-theme="${name}"] { color-scheme: ${name};\n${colours}}\n`,
      )
      // The rules of a theme come before those for print, which have the same variables.
      const print = style.indexOf('@media print')
      return `${style.slice(0, print)}${chosen.join('')}${style.slice(print).replace(':root {', ':root:root:root {')}`
    },
  }
}

/** Records the sources of the checkout that a build reads. */
function recordedSources(root, record) {
  return {
    name: 'recorded-sources',
    generateBundle() {
      for (const id of this.getModuleIds()) {
        const path = id.split('?')[0]
        const isOwn = path.startsWith(join(root, '/')) && !path.includes('/node_modules/')
        if (isOwn) record(path)
      }
    },
  }
}
