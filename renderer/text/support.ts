import * as m from '../../main/text/compiled/messages.js'
import { formatBytes } from './format.ts'

/** Saving a report for support. */
export const supportWords = {
  open: m.support_open(),
  title: m.support_title(),
  text: m.support_text(),
  without: m.support_without(),
  names: m.support_names(),
  namesHint: m.support_namesHint(),
  preparing: m.support_preparing(),
  files: m.support_files(),
  file: (name: string, bytes: number) => `${name} (${formatBytes(bytes)})`,
  preview: (name: string) => m.support_preview({ name }),
  more: m.support_more(),
  check: m.support_check(),
  save: m.support_save(),
  saved: m.support_saved(),
} as const
