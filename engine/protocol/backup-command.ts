import type { PortableJob } from './machine-settings.ts'
import { shellWord } from './shell-word.ts'

/** The command that backs up a job, for a POSIX shell; without an address, and without secrets. @param machine its name where the job has none of its own */
export function backupCommand({ name, host, sources, excludes }: Pick<PortableJob, 'name' | 'host' | 'sources' | 'excludes'>, machine: string, here: (path: string) => string): string {
  const words = [
    'holdfast', 'backup', ...sources.map((source) => shellWord(here(source))), '--job', shellWord(name), '--host', shellWord(host ?? machine),
    ...excludes.patterns.flatMap((pattern) => ['--exclude', shellWord(pattern)]),
    ...excludes.presets.flatMap((preset) => ['--exclude-preset', preset]),
    ...(excludes.largerThanBytes === undefined ? [] : ['--exclude-larger-than', String(excludes.largerThanBytes)]),
    ...(excludes.oneFileSystem ? ['--one-file-system'] : []),
  ]
  return words.join(' ')
}
