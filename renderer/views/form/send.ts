import { tick } from 'svelte'
import type { JobForm } from '../../state/job-form.svelte.ts'
import type { Session } from '../../state/session.svelte.ts'
import { words } from '../../text/words.ts'

/** Makes or changes the job and goes to its page; where something is wrong, to the first field that is. */
export async function sendForm(session: Session, form: JobForm, element: HTMLFormElement, andRun: boolean): Promise<void> {
  const jobId = await form.save()
  if (jobId === undefined) {
    await tick()
    element.querySelector<HTMLElement>('[aria-invalid="true"], [data-invalid="true"]')?.focus()
    return
  }
  session.toasts.good(words.job.saved(form.fields.name.trim()))
  session.router.go({ page: 'job', jobId })
  if (andRun) await session.intend('job.run', { jobId })
}
