import { expect } from 'vitest'
import type { JobConfigInput } from '../../../main/api/contract.ts'
import { declined } from '../../../main/authority/ask.ts'
import type { Question } from '../../../main/authority/questions.ts'
import { repositoryUrl } from '../../../main/repositories/address.ts'
import { kitHandlers } from '../../../main/kit/handlers.ts'
import { copyHandlers } from '../../../main/jobs/copy-handlers.ts'
import { historyHandlers, jobHandlers, repositoryHandlers } from '../../../main/jobs/handlers.ts'
import { reportHandlers } from '../../../main/reports/handlers.ts'
import { visitHandlers } from '../../../main/visit/handlers.ts'
import { config, openWorld } from './world.ts'

/** Main's handlers over engines that a test plays, and a person who answers its questions. */
export function setUp() {
  const world = openWorld()
  const clipboard: string[] = []
  const asked: Question[] = []
  /** `saves`: where; undefined: nowhere. `prints`: what the print dialog ends with. */
  const person: { saysYes: boolean; saves: string | undefined; prints: boolean } = { saysYes: true, saves: undefined, prints: true }
  const printed: string[] = []
  const ports = {
    ...world,
    ask: async (question: Question) => {
      asked.push(question)
      if (!person.saysYes) throw declined()
    },
    sensitivity: (target: string) => (target.endsWith('.config') ? 'settings' as const : undefined),
    logs: { linesOf: async (run: string) => [`line of ${run}`] },
    copy: (text: string) => { clipboard.push(text) },
    saveFile: async () => person.saves,
    printer: {
      pdf: async (html: string) => Buffer.from(`%PDF of ${html}`),
      print: async (html: string) => {
        if (person.prints) printed.push(html)
        return person.prints
      },
    },
    onChange: () => undefined,
  }
  const handlers = { ...jobHandlers(ports), ...copyHandlers(ports), ...reportHandlers(ports), ...historyHandlers(ports), ...repositoryHandlers(ports), ...visitHandlers(ports), ...kitHandlers(ports) }
  const chosen = (purpose: 'sources' | 'destination' | 'restore', path: string): { readonly id: string } => ({ id: world.folders.add(purpose, [path])[0]?.id ?? '' })
  /** As the window would ask, with folders that were chosen in dialogs. */
  const ask = (changes: Partial<JobConfigInput> = {}): JobConfigInput => ({
    ...config, sources: [chosen('sources', '/home/u/docs')], destination: { type: 'folder', folder: chosen('destination', '/backup') }, ...changes,
  })
  /** As the window has it from the view of a job. */
  const shown = (jobId: string): JobConfigInput => {
    const { sources, destination, ...terms } = world.folders.view(jobId, world.store.get(jobId).config)
    return { ...terms, sources: sources.map(({ id }) => ({ id })), destination: destination.type === 'folder' ? { type: 'folder', folder: { id: destination.folder.id } } : destination }
  }
  const kept = (jobId: string) => world.secrets.get(world.repositoryOf(jobId), repositoryUrl(world.store.get(jobId).config.destination))
  return { ...world, handlers, clipboard, asked, person, printed, chosen, ask, shown, kept }
}

export const secrets = { password: 'pw', storage: { accessKeyId: 'id', secretAccessKey: 'key' } }
/** For a folder, which asks for nothing but the password. */
export const keyless = { password: 'pw' }
/** An S3 storage; what is undefined is left out. */
export const inBucket = (change: Readonly<Record<string, string | undefined>> = {}) => {
  const values = { endpoint: 'http://127.0.0.1:8000', region: 'eu-1', bucket: 'bucket', prefix: 'a b/c', ...change }
  return { type: 'provider', provider: 's3', values: Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined)) } as const
}
export const s3 = inBucket()
export const rejects = (asked: unknown, expected: object): Promise<void> => expect(Promise.resolve(asked)).rejects.toMatchObject(expected)
