import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Handlers } from '../api/dispatch.ts'
import { MainError } from '../api/errors.ts'
import type { Folders } from '../authority/folders.ts'
import { sizeOf } from './measure.ts'

export interface SourcePorts {
  /** The person's own folder. */
  readonly home: string
  readonly folders: Pick<Folders, 'offer' | 'path' | 'page'>
}

/**
 * What programs have downloaded into a home, and download again by themselves: nothing that anybody made or set is among it. In gitignore syntax, relative to
 * the home.
 */
const machineMade = [
  '/.local/share/flatpak/', '/.local/share/containers/storage/overlay/', '/.local/share/Steam/steamapps/shadercache/', '/.local/share/pnpm/store/', '/.var/app/*/cache/', '/.nvm/versions/',
  '/.cargo/registry/', '/.cargo/git/', '/.rustup/toolchains/', '/go/pkg/mod/', '/.m2/repository/', '/.ivy2/cache/', '/.nuget/packages/', '/.pyenv/versions/', '/.conda/pkgs/',
  '/Android/Sdk/', '/.vscode/extensions/', '/.ollama/models/', '/.minikube/cache/', '/.vagrant.d/boxes/', '/.thumbnails/',
  '/Library/Developer/Xcode/DerivedData/', '/AppData/Local/Temp/',
] as const

/** Entries and time that a look at sources takes at most. */
const mostEntries = 300_000
const mostMs = 30_000

/** What a first backup may begin with, and how large it is. A look that goes on ends with the page, and with the next one. */
export function sourceHandlers({ home, folders }: SourcePorts): Pick<Handlers, 'sources.suggest' | 'sources.measure' | 'sources.endMeasure'> {
  let looking: AbortController | undefined
  const end = (): void => { looking?.abort(new MainError('aborted', 'Nobody waits for this size any more.')) }
  return {
    async 'sources.suggest'() {
      return { folder: folders.offer('sources', home), leaveOut: await machineMadeIn(home) }
    },
    async 'sources.measure'({ sources, excludes }) {
      const paths = sources.map((one) => folders.path('sources', one))
      end()
      const own = new AbortController()
      looking = own
      const { page } = folders
      page.addEventListener('abort', end)
      try {
        return await sizeOf(paths, { most: mostEntries, untilMs: performance.now() + mostMs, excludes }, own.signal)
      } finally {
        page.removeEventListener('abort', end)
      }
    },
    'sources.endMeasure': end,
  }
}

/** Of what programs download again, that which is in this home; what it lacks would only make a long list longer. */
async function machineMadeIn(home: string): Promise<readonly string[]> {
  const found = await Promise.all(machineMade.map((pattern) => lstat(join(home, pattern.split('*')[0] ?? '')).then((entry) => entry.isDirectory(), () => false)))
  return machineMade.filter((_, at) => found[at])
}
