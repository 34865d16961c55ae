import * as m from '../../main/text/compiled/messages.js'

/** Snapshots in the file manager. */
export const filesWords = {
  open: m.files_open(),
  offer: m.files_offer(),
  title: m.files_title(),
  waiting: m.files_waiting(),
  who: m.files_who(),
  how: (address: string, user: string) => m.files_how({ address, user }),
  again: m.files_again(),
  copyPassword: m.files_copyPassword(),
  copied: m.files_copied(),
  stop: m.files_stop(),
} as const
