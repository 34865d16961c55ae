import { existsSync } from 'node:fs'
import { dialog } from 'electron'
import type { BrowserWindow, OpenDialogOptions, SaveDialogOptions } from 'electron'
import * as v from 'valibot'
import type { FolderPurpose } from '../api/contract.ts'
import { MainError } from '../api/errors.ts'
import * as m from '../text/compiled/messages.js'
import { declined, DialogTurn } from '../authority/ask.ts'
import type { Question } from '../authority/questions.ts'

const options: Readonly<Record<FolderPurpose, () => OpenDialogOptions>> = {
  sources: () => ({ title: m.dialog_sources_title(), buttonLabel: m.dialog_sources_button(), properties: ['openDirectory', 'multiSelections', 'showHiddenFiles'] }),
  destination: () => ({ title: m.dialog_destination_title(), buttonLabel: m.dialog_choose(), properties: ['openDirectory', 'createDirectory'] }),
  restore: () => ({ title: m.dialog_restore_title(), buttonLabel: m.dialog_restore_button(), properties: ['openDirectory', 'createDirectory'] }),
}

const fileOptions = (): OpenDialogOptions => ({ title: m.dialog_file_title(), buttonLabel: m.dialog_choose(), properties: ['openFile', 'showHiddenFiles', 'dontAddToRecent'] })

const paths = v.exactOptional(v.array(v.string()))
const testAnswers = v.strictObject({ sources: paths, destination: paths, restore: paths, file: v.exactOptional(v.string()), save: v.exactOptional(v.string()), confirm: v.exactOptional(v.boolean()) })

export interface DialogPorts {
  readonly parent: () => BrowserWindow | undefined
  /** In place of a person: JSON such as `{"sources": ["/a"], "confirm": true}`. Undefined wherever the app is not for tests. */
  readonly testAnswers: () => string | undefined
  /** What was asked and answered. */
  readonly log: (message: string) => void
}

/** Main's own dialogs, which the window can neither draw nor answer: one at a time, over the window while there is one. */
export class Dialogs {
  readonly #ports: DialogPorts
  readonly #turn = new DialogTurn()

  constructor(ports: DialogPorts) {
    this.#ports = ports
  }

  /** The paths that were chosen; none when it was cancelled. Errors: `busy`. @param at where it begins; else where the system wants to */
  folders(purpose: FolderPurpose, at?: string): Promise<readonly string[]> {
    return this.#turn.take(async () => {
      const answers = this.#testAnswers()
      return answers ? (answers[purpose] ?? []) : this.#open({ ...options[purpose](), ...(at !== undefined && { defaultPath: at }) })
    })
  }

  /** The path of a file that was chosen; undefined when it was cancelled. Errors: `busy`, `unsupported`. */
  file(): Promise<string | undefined> {
    return this.#turn.take(async () => {
      const answers = this.#testAnswers()
      return answers ? answers.file : (await this.#open(fileOptions()))[0]
    })
  }

  /** Where a file is to be written; undefined when it was cancelled. Where one is there, the dialog itself has asked. Errors: `busy`, `unsupported`. */
  saveFile(chosen: SaveDialogOptions): Promise<string | undefined> {
    return this.#turn.take(async () => {
      const answers = this.#testAnswers()
      if (answers) return answers.save
      const parent = this.#ports.parent()
      const { canceled, filePath } = await (parent ? dialog.showSaveDialog(parent, chosen) : dialog.showSaveDialog(chosen))
      if (filePath.includes('\ufffd')) throw notUtf8()
      return canceled || filePath === '' ? undefined : filePath
    })
  }

  async #open(chosen: OpenDialogOptions): Promise<readonly string[]> {
    const parent = this.#ports.parent()
    const { canceled, filePaths } = await (parent ? dialog.showOpenDialog(parent, chosen) : dialog.showOpenDialog(chosen))
    if (canceled) return []
    // What is no UTF-8 comes as other text, which names nothing or, worse, something else.
    if (filePaths.some((path) => path.includes('\ufffd') || !existsSync(path))) throw notUtf8()
    return filePaths
  }

  /** Resolves when a person said yes. Errors: `aborted` with `data.declined`, `busy`. */
  async ask(question: Question): Promise<void> {
    const yes = await this.#turn.take(() => this.#answer(question))
    this.#ports.log(`asked: ${question.title} ${JSON.stringify(question.detail)}; the answer was ${yes ? 'yes' : 'no'}`)
    if (!yes) throw declined()
  }

  /** "Cancel" is what Enter and Escape choose, so that a question that comes while somebody types changes nothing. */
  async #answer({ title, detail, yes }: Question): Promise<boolean> {
    const answers = this.#testAnswers()
    if (answers) return answers.confirm === true
    const box = { type: 'question' as const, title: 'Holdfast', message: title, detail, buttons: [m.cancel(), yes], defaultId: 0, cancelId: 0, noLink: true }
    const parent = this.#ports.parent()
    const { response } = await (parent ? dialog.showMessageBox(parent, box) : dialog.showMessageBox(box))
    return response === 1
  }

  #testAnswers(): v.InferOutput<typeof testAnswers> | undefined {
    const text = this.#ports.testAnswers()
    return text === undefined ? undefined : v.parse(testAnswers, JSON.parse(text))
  }
}

function notUtf8(): MainError {
  return new MainError('unsupported', 'This path is no UTF-8.', { reason: 'folder-name' })
}
