import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { systemDisk } from './disk.ts'
import { survey, type SurveyRequest } from './survey.ts'

/** Entry of the thread that counts ahead of a backup: tells what it has a few times a second, and ends. */
const everyMs = 200

yieldToOthers()
let toldMs = performance.now()
for (const totals of survey(workerData as SurveyRequest, systemDisk)) {
  if (!totals.complete && performance.now() - toldMs < everyMs) continue
  toldMs = performance.now()
  parentPort?.postMessage(totals)
}

/** Only on Linux a thread has a priority of its own. */
function yieldToOthers(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(19)
  } catch {
    // Counting at full speed is no harm.
  }
}
