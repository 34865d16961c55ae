import { expect, test } from 'vitest'
import { conditionFieldsOf, conditionsOf, validateConditions, withName } from '../../../renderer/state/condition-form.ts'
import { conditionText } from '../../../renderer/text/conditions.ts'

test('conditions that are edited and saved are the same; none are no conditions', () => {
  const all = { mains: true, batteryAbove: 5, unmetered: true, idle: true, networks: { rule: 'never', names: ['Phone of Mia', 'x'] } } as const
  expect([validateConditions(conditionFieldsOf(all)), conditionsOf(conditionFieldsOf(all))]).toEqual([{}, all])
  expect([validateConditions(conditionFieldsOf()), conditionsOf(conditionFieldsOf()), conditionsOf(conditionFieldsOf({ mains: false, idle: false }))]).toEqual([{}, undefined, undefined])
})

test('names are taken as people type them', () => {
  const fields = { ...conditionFieldsOf(), networks: 'only' as const, networkNames: ' Home ,, Office,Home' }
  expect(conditionsOf(fields)?.networks).toEqual({ rule: 'only', names: ['Home', 'Office'] })
  expect([withName('', 'Home'), withName('Home, Office', 'Home'), withName('Office', 'Home')]).toEqual(['Home', 'Home, Office', 'Office, Home'])
})

test.each([['0'], ['100'], ['x'], ['1.5'], ['']])('a battery of %s %% is told beside the field', (batteryAbove) => {
  expect(validateConditions({ ...conditionFieldsOf(), battery: true, batteryAbove })).toEqual({ batteryAbove: { words: conditionText.errors.battery } })
})

test('no names, and too many, are told beside the field', () => {
  for (const networkNames of [' , ', Array.from({ length: 21 }, (_none, at) => `n${at}`).join()]) {
    expect(validateConditions({ ...conditionFieldsOf(), networks: 'never', networkNames })).toEqual({ networkNames: { words: conditionText.errors.names } })
  }
})
