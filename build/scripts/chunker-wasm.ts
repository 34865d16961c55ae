import { readFile, writeFile } from 'node:fs/promises'
import wabt from 'wabt'
import { root } from './root.ts'

const folder = `${root}/engine/repository/chunker`

/** The source of chunker-wasm.ts, made from chunker.wat. A test holds the checked-in file against it. */
export async function compileChunker(): Promise<string> {
  const compiler = await wabt()
  const parsed = compiler.parseWat('chunker.wat', await readFile(`${folder}/chunker.wat`, 'utf8'), { threads: true })
  const { buffer } = parsed.toBinary({})
  return `/** chunker.wat, compiled by build/scripts/chunker-wasm.ts; base64. */\nexport const chunkerWasm =\n  '${Buffer.from(buffer).toString('base64')}'\n`
}

if (import.meta.main) await writeFile(`${folder}/chunker-wasm.ts`, await compileChunker())
