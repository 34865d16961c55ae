import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { InlineConfig, Plugin } from 'vite'

/**
 * Entries of packages that are inlined into dist/engine/inlined, one file for each: googleapis has 240 MB, and Holdfast uses two of its
 * files. What the app ships is in these, so the package is needed for building only.
 */
const inlined: Readonly<Record<string, { readonly file: string; readonly names: readonly string[] }>> = {
  'googleapis/build/src/apis/drive/v3.js': { file: 'google-drive', names: ['drive_v3'] },
  'googleapis/build/src/apis/storage/v1.js': { file: 'google-storage', names: ['storage_v1'] },
}

export function isInlined(id: string): boolean {
  return Object.hasOwn(inlined, id)
}

/** For the engine's own build: imports of these entries become imports of the files that `inlinedConfig` makes. */
export function inlinedImports(root: string): Plugin {
  return {
    name: 'inlined-imports',
    enforce: 'pre',
    resolveId(id, importer) {
      const entry = inlined[id]
      if (!entry || importer === undefined) return null
      const path = relative(dirname(importer), join(root, 'engine/inlined', `${entry.file}.js`)).replaceAll('\\', '/')
      return { id: path.startsWith('.') ? path : `./${path}`, external: true }
    },
  }
}

/** Everything that these entries need, with the licences of the packages it comes from. */
export function inlinedConfig(root: string): InlineConfig {
  return {
    root,
    configFile: false,
    logLevel: 'warn',
    ssr: { noExternal: true, target: 'node' },
    plugins: [entries(root), licences()],
    build: {
      ssr: true,
      target: 'node24',
      emptyOutDir: false,
      minify: false,
      sourcemap: false,
      rolldownOptions: {
        input: Object.fromEntries(Object.entries(inlined).map(([id, { file }]) => [file, `${prefix}${id}`])),
        external: /^node:/,
        output: { format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name].js' },
      },
    },
  }
}

const prefix = '\0inlined:'

/** The packages are CommonJS, of which only named exports can be imported by name. */
function entries(root: string): Plugin {
  return {
    name: 'inlined-entries',
    enforce: 'pre',
    resolveId: (id) => (id.startsWith(prefix) ? id : null),
    load(id) {
      if (!id.startsWith(prefix)) return null
      const module = id.slice(prefix.length)
      return `export { ${inlined[module]?.names.join(', ') ?? ''} } from ${JSON.stringify(join(root, 'node_modules', module))}`
    },
  }
}

function licences(): Plugin {
  return {
    name: 'inlined-licences',
    generateBundle() {
      const packages = [...this.getModuleIds()].flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0] ?? [])
      const texts = [...new Set(packages)].sort().map((folder) => {
        const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Readonly<Record<string, unknown>>
        const [file] = globSync('{LICEN[CS]E,licen[cs]e}*', { cwd: folder }).sort()
        return `${String(name)} ${String(version)} (${String(license)})\n\n${file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim()}\n`
      })
      this.emitFile({ type: 'asset', fileName: 'LICENCES.txt', source: texts.join(`\n${'-'.repeat(80)}\n\n`) })
    },
  }
}
