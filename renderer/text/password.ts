import * as m from '../../main/text/compiled/messages.js'

/** Asking whether a password is still known, and adding another one. */
export const passwordWords = {
  notice: (job: string) => m.password_notice({ job }),
  noticeText: m.password_noticeText(),
  tryIt: m.password_tryIt(),
  later: m.password_later(),
  title: (job: string) => m.password_title({ job }),
  text: m.password_text(),
  field: m.password_field(),
  check: m.password_check(),
  right: m.password_right(),
  wrong: m.password_wrong(),
  untried: m.password_untried(),
  lost: m.password_lost(),
  addAnother: m.password_addAnother(),
  newTitle: (job: string) => m.password_newTitle({ job }),
  newText: m.password_newText(),
  newField: m.password_newField(),
  add: m.password_add(),
  added: m.password_added(),
} as const
