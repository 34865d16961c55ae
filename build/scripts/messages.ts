import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageFaults, type Messages } from './message-faults.ts'
import { root } from './root.ts'

/** The language that all others are translated from. */
const base = 'en'
const sources = join(root, 'main/text/messages')
/** Not committed; made by `npm ci`, and wherever it is older than the messages by `npm test`, `check`, `build`, `start`, and a run of vitest. */
const compiled = join(root, 'main/text/compiled')

/**
 * Compiles main/text/messages into functions, one for each message, which choose the language when they are called. Repeating it is quick: nothing
 * is done where nothing has changed.
 * @throws Error that names every message that a language lacks or has otherwise
 */
export async function makeMessages(): Promise<void> {
  const texts = readMessages()
  const stamp = createHash('sha256').update(readFileSync(fileURLToPath(import.meta.url))).update(JSON.stringify(texts)).digest('hex')
  if (stampOf(compiled) === stamp) return
  const faults = messageFaults(texts, base)
  if (faults.length > 0) throw new Error(`main/text/messages:\n${faults.map((fault) => `  ${fault}`).join('\n')}`)
  const fresh = mkdtempSync(join(root, 'node_modules/.messages-'))
  try {
    await compileMessages(Object.fromEntries(Object.entries(texts).map(([locale, text]) => [locale, JSON.parse(text) as Messages])), join(fresh, 'compiled'))
    writeFileSync(join(fresh, 'compiled/stamp'), stamp)
    putInPlace(join(fresh, 'compiled'), join(fresh, 'old'))
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

/** Messages of each language as they are in its file. */
function readMessages(): Record<string, string> {
  return Object.fromEntries(readdirSync(sources).filter((name) => name.endsWith('.json')).sort().map((name) => [basename(name, '.json'), readFileSync(join(sources, name), 'utf8')]))
}

/** Compiles into a folder that is made. */
export async function compileMessages(messages: Readonly<Record<string, Messages>>, to: string): Promise<void> {
  // Only where there is something to do: loading it takes longer than all else.
  const { compile } = await import('@inlang/paraglide-js')
  const format = fileURLToPath(import.meta.resolve('@inlang/plugin-message-format'))
  const folder = mkdtempSync(join(root, 'node_modules/.messages-'))
  try {
    const project = join(folder, 'project.inlang')
    mkdirSync(project)
    writeFileSync(join(project, 'settings.json'), JSON.stringify({
      baseLocale: base,
      locales: Object.keys(messages),
      telemetry: 'off',
      modules: [format],
      'plugin.inlang.messageFormat': { pathPattern: './{locale}.json' },
    }))
    for (const [locale, all] of Object.entries(messages)) writeFileSync(join(folder, `${locale}.json`), JSON.stringify(all))
    await compile({
      project, outdir: to, outputStructure: 'locale-modules', strategy: ['globalVariable', 'baseLocale'], disableAsyncLocalStorage: true,
      emitTsDeclarations: true, emitReadme: false, emitGitIgnore: false, emitPrettierIgnore: false,
    })
    // Nobody serves pages here.
    for (const name of ['server.js', 'server.d.ts']) rmSync(join(to, name))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Whoever reads meanwhile, such as a run of tests beside a build, finds one or the other. */
function putInPlace(fresh: string, old: string): void {
  try {
    renameSync(compiled, old)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  mkdirSync(dirname(compiled), { recursive: true })
  renameSync(fresh, compiled)
}

function stampOf(folder: string): string | undefined {
  try {
    return readFileSync(join(folder, 'stamp'), 'utf8')
  } catch {
    return undefined
  }
}

if (import.meta.main) await makeMessages()
