import * as m from '../../main/text/compiled/messages.js'
import type { DriveView, SizeView } from '../state/bridge.ts'
import { formatBytes } from './format.ts'

/** The short form: what a first backup needs, and no more. */
export const firstWords = {
  title: m.first_title(),
  another: m.first_another(),
  allSettings: m.first_allSettings(),
  homeName: m.first_homeName(),
  where: {
    title: m.first_where_title(),
    label: m.first_where_label(),
    choose: m.first_where_choose(),
    none: m.first_where_none(),
    looking: m.first_where_looking(),
    room: ({ freeBytes, totalBytes }: DriveView) => m.first_where_room({ freeBytes: formatBytes(freeBytes), totalBytes: formatBytes(totalBytes) }),
    elsewhere: m.first_where_elsewhere(),
    elsewhereText: m.first_where_elsewhereText(),
    folder: (path: string) => m.first_where_folder({ path }),
    repository: (path: string) => m.first_where_repository({ path }),
    gone: m.first_where_gone(),
    small: (needed: string) => m.first_where_small({ needed }),
  },
  password: {
    title: m.first_password_title(),
    label: m.first_password_label(),
    existing: m.first_password_existing(),
    repeat: m.first_password_repeat(),
    repeatHint: m.first_password_repeatHint(),
    text: m.first_password_text(),
    kit: m.first_password_kit(),
    wrong: m.first_password_wrong(),
  },
  plan: {
    title: m.first_plan_title(),
    change: m.first_plan_change(),
    changeLabel: (what: string) => m.first_plan_changeLabel({ what }),
    what: m.first_plan_what(),
    done: m.first_plan_done(),
    measuring: m.first_plan_measuring(),
    finding: m.first_plan_finding(),
    nothing: m.first_plan_nothing(),
    leftOut: m.first_plan_leftOut(),
    home: (path: string) => m.first_plan_home({ path }),
    name: m.first_plan_name(),
    nameHint: m.first_plan_nameHint(),
    when: m.first_plan_when(),
    missed: m.first_plan_missed(),
    kept: m.first_plan_kept(),
    drill: m.first_plan_drill(),
    drillText: m.first_plan_drillText(),
    noDrill: m.first_plan_noDrill(),
  },
  start: m.first_start(),
  startAnother: m.first_startAnother(),
} as const

/** `about 83 GB in 120,000 files`; empty where it is not known. */
export function aboutSize(size: SizeView | undefined): string {
  if (!size) return ''
  return size.isMore ? m.first_aboutSize({ bytes: formatBytes(size.bytes) }) : m.first_aboutSize2({ bytes: formatBytes(size.bytes) })
}
