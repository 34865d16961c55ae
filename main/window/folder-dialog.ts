import { dialog } from 'electron'
import type { BrowserWindow, OpenDialogOptions } from 'electron'
import * as v from 'valibot'
import type { Request } from '../api/contract.ts'

type Purpose = Request<'dialog.folders'>['purpose']

const options: Readonly<Record<Purpose, OpenDialogOptions>> = {
  sources: { title: 'Choose folders to back up', buttonLabel: 'Back up', properties: ['openDirectory', 'multiSelections', 'showHiddenFiles'] },
  destination: { title: 'Choose where backups are kept', buttonLabel: 'Choose', properties: ['openDirectory', 'createDirectory'] },
  restore: { title: 'Choose where to restore to', buttonLabel: 'Restore here', properties: ['openDirectory', 'createDirectory'] },
}

const answers = v.record(v.picklist(['sources', 'destination', 'restore']), v.array(v.string()))

/**
 * The native dialog. `testAnswers` (HOLDFAST_TEST_DIALOG, only where the app is not packaged) answers in its place: JSON such
 * as `{"sources": ["/a"]}`.
 */
export async function chooseFolders(purpose: Purpose, parent: BrowserWindow | undefined, testAnswers: string | undefined): Promise<readonly string[]> {
  if (testAnswers !== undefined) return v.parse(answers, JSON.parse(testAnswers))[purpose] ?? []
  const shown = parent ? dialog.showOpenDialog(parent, options[purpose]) : dialog.showOpenDialog(options[purpose])
  const { canceled, filePaths } = await shown
  return canceled ? [] : filePaths
}
