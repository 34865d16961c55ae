import type { UnusualReason } from '../../protocol/changes.ts'
import { annotationOf, readAnnotations } from '../../repository/protocol/annotations.ts'
import { newestSnapshots } from '../../repository/protocol/snapshots.ts'
import { isSuspect, judge, pastRuns, type PastRun, type ThisRun } from '../../snapshot/unusual.ts'
import { assertNever } from '../../base/errors.ts'
import type { OpenBackup } from './open-backup.ts'

/** Snapshots that are read at most to find former runs of this machine, where others use the job's name too. */
const readAtMost = 100

/** Why a run is unusual; empty where it is not. Reads former snapshots only where this one gives reason to. Errors: those of the storage. */
export async function judgeRun(run: ThisRun, opened: Pick<OpenBackup, 'repository' | 'jobKey' | 'host'>, signal: AbortSignal): Promise<readonly UnusualReason[]> {
  return isSuspect(run) ? judge(run, await formerRuns(opened, signal)) : []
}

async function formerRuns({ repository, jobKey, host }: Pick<OpenBackup, 'repository' | 'jobKey' | 'host'>, signal: AbortSignal): Promise<readonly PastRun[]> {
  const runs: PastRun[] = []
  const annotations = await readAnnotations(repository, `${jobKey}/`, new Map(), signal)
  let read = 0
  for await (const { manifest, ref } of newestSnapshots(repository, jobKey, signal)) {
    if (manifest.host === host) runs.push({ ...(manifest.changes ? { changes: manifest.changes } : {}), unusual: manifest.unusual !== undefined && annotationOf(annotations, ref).fine !== true })
    if (runs.length === pastRuns || ++read === readAtMost) break
  }
  return runs
}

/** For people, in whole sentences. */
export function unusualWords(reasons: readonly UnusualReason[]): string {
  return reasons.map(wordsOf).join(' ')
}

function wordsOf({ code, files, of }: UnusualReason): string {
  const share = `${files.toLocaleString('en-US')} of ${of.toLocaleString('en-US')} files`
  switch (code) {
    case 'scrambled': return `As many as ${share} look encrypted now and did not before.`
    case 'random': return `As many as ${share} were replaced by what looks encrypted.`
    case 'removed': return `As many as ${share} are gone.`
    case 'rewritten': return `As many as ${share} have another content than before.`
    case 'source-changed': return `${files === 1 ? 'A source is' : `${files} sources are`} suddenly empty or on another disk.`
    default: return assertNever(code)
  }
}
