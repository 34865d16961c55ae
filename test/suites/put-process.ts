import { readFileSync, writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { array, number, object, parse, record, string, tuple } from 'valibot'
import { fixedCredentials } from '../../engine/backend/credentials.ts'
import { openBackend } from '../../engine/backend/open.ts'

/** A process that puts a file and kills itself in the middle: what is left is what a crash leaves. */
const request = parse(object({
  address: string(), credentials: record(string(), string()), name: string(),
  file: object({ path: string(), size: number(), crc32: number() }),
  journal: string(), killAtBytes: number(),
}), JSON.parse(await text(process.stdin)))

const entries = new Map(parse(array(tuple([string(), string()])), JSON.parse(readFileSync(request.journal, 'utf8'))))
const save = (): void => { writeFileSync(request.journal, JSON.stringify([...entries])) }
await using backend = await openBackend(request.address, {
  credentials: fixedCredentials(request.credentials), signal: new AbortController().signal,
  uploadJournal: {
    get: (name) => entries.get(name),
    set: (name, state) => { entries.set(name, state); save() },
    delete: (name) => { entries.delete(name); save() },
  },
})
const kill = (sentBytes: number): void => { if (sentBytes >= request.killAtBytes) process.kill(process.pid, 'SIGKILL') }
await backend.put(request.name, { type: 'file', ...request.file }, { once: true, onProgress: kill }, new AbortController().signal)
