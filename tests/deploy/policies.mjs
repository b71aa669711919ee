// What the policies of deploy/policies allow and deny, by an evaluator that others wrote: the batches that agent,
// janitor and zone-setup were recorded to send, and what nobody, or another role alone, may do. Run by tests/deploy/policies.
//
//   node policies.mjs POLICIES BATCHES RENDERED   RENDERED is where the policies are put with their values filled in

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const [POLICIES, BATCHES, RENDERED] = process.argv.slice(2)

const VALUES = {
  'AWS::Partition': 'aws',
  'AWS::Region': 'us-east-1',
  'AWS::AccountId': '111122223333',
  ZoneId: 'Z0123456789OURS',
  ZoneName: 'sd.internal',
  ClusterName: 'demo',
  JanitorLog: 'janitor',
  ZoneSetupLog: 'zone-setup'
}
const OURS = 'arn:aws:route53:::hostedzone/Z0123456789OURS'
const OTHER = 'arn:aws:route53:::hostedzone/Z0123456789OTHER'
const ANY = '*'

const policies = new Map()
function policy(name) {
  if (!policies.has(name)) {
    const text = readFileSync(`${POLICIES}/${name}.json`, 'utf8').replace(/\$\{([^}]+)\}/g, (_, key) => {
      if (!(key in VALUES)) throw new Error(`${name}: nobody fills in ${key}`)
      return VALUES[key]
    })
    mkdirSync(RENDERED, { recursive: true })
    writeFileSync(`${RENDERED}/${name}.json`, text)
    policies.set(name, JSON.parse(text))
  }
  return policies.get(name)
}

async function allows(name, action, resource, contextVariables) {
  const answer = await runSimulation(
    {
      identityPolicies: [{ name, policy: policy(name) }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      request: {
        principal: 'arn:aws:iam::111122223333:role/somebody',
        action,
        resource: { resource, accountId: VALUES['AWS::AccountId'] },
        contextVariables
      }
    },
    {}
  )
  // A request that no service knows is a mistake of ours, not a denial.
  if (answer.overallResult !== 'Allowed' && !/Denied/.test(answer.overallResult)) {
    throw new Error(`${name}: ${action} on ${resource}: ${JSON.stringify(answer)}`)
  }
  return answer.overallResult === 'Allowed'
}

let allowed = 0
let denied = 0
const wrong = []
async function expect(wanted, name, what, action, resource, context = {}) {
  if ((await allows(name, action, resource, context)) !== wanted) {
    wrong.push(`${name} ${wanted ? 'denies' : 'allows'} ${what}`)
  }
  if (wanted) allowed += 1
  else denied += 1
}

// What Route 53 says of a batch: a set of each, without order.
const CHANGE = 'route53:ChangeResourceRecordSets'
function keysOf(batch) {
  const all = (index) => [...new Set(batch.map((change) => change[index]))]
  return { [`${CHANGE}Actions`]: all(0), [`${CHANGE}RecordTypes`]: all(1), [`${CHANGE}NormalizedRecordNames`]: all(2) }
}
const show = (batch) => batch.map((change) => change.join(' ')).join(', ')
const change = (wanted, name, batch, resource = OURS) =>
  expect(wanted, name, `${show(batch)} in ${resource}`, CHANGE, resource, keysOf(batch))
const recorded = (who) => JSON.parse(readFileSync(`${BATCHES}/${who}.json`, 'utf8'))

// === What they send ===

const sent = { agent: recorded('agent'), janitor: recorded('janitor'), zoneSetup: recorded('zone-setup'), forget: recorded('forget') }
for (const batch of sent.agent) {
  await change(true, 'agent', batch)
  // The fence is around names that begin with `_`, of hosts and of tasks.
  // Names without _, of services or their addresses, are beyond the fence until it names them.
  const isPlain = ([, , name]) => ['calc.sd.internal', 'web.sd.internal'].includes(name)
  await change(!batch.some(isPlain), 'agent-fenced', batch)
}
for (const batch of sent.janitor) await change(true, 'janitor', batch)
for (const batch of sent.forget) {
  for (const name of ['operator', 'janitor']) await change(true, name, batch)
}
for (const batch of sent.zoneSetup) {
  await change(true, 'zone-setup', batch)
  await change(false, 'agent', batch)
}

// === What nobody may ===

const GOOD = ['DELETE', 'SRV', '_web._tcp.sd.internal']
for (const name of ['agent', 'agent-fenced', 'janitor', 'operator', 'zone-setup']) {
  await change(true, name, [GOOD])
  for (const bad of [
    ['DELETE', 'A', 'sd.internal'],
    ['DELETE', 'NS', 'sd.internal'],
    ['CREATE', 'NS', '_web._tcp.sd.internal'],
    ['DELETE', 'SOA', 'sd.internal'],
    ['UPSERT', 'SOA', '_web._tcp.sd.internal'],
    ['CREATE', 'CNAME', '_web._tcp.sd.internal'],
    ['CREATE', 'AAAA', '_web._tcp.sd.internal'],
    ['CREATE', 'TXT', '_acme-challenge.sd.internal'],
    ['DELETE', 'TXT', '_acme-challenge.web.sd.internal'],
    ['DELETE', 'TXT', 'www._acme-challenge.sd.internal'],
    ['DELETE', 'SRV', '_web._tcp.other.internal']
  ]) {
    await change(false, name, [bad])
    // A batch is judged as a whole.
    await change(false, name, [GOOD, bad])
  }
  await change(false, name, [GOOD], OTHER)
  // Without a condition on what is absent, a request without keys would be allowed.
  for (const missing of Object.keys(keysOf([GOOD]))) {
    const keys = keysOf([GOOD])
    delete keys[missing]
    await expect(false, name, `a batch without ${missing}`, CHANGE, OURS, keys)
  }
  await expect(false, name, 'a batch without keys', CHANGE, OURS)
  for (const action of ['route53:DeleteHostedZone', 'route53:AssociateVPCWithHostedZone']) {
    await expect(false, name, action, action, OURS)
  }
}

// === What one may and the others may not ===

const LOWER = [['UPSERT', 'SOA', 'sd.internal']]
const only = async (batch, who) => {
  for (const name of ['agent', 'agent-fenced', 'janitor', 'operator', 'zone-setup']) {
    await change(who.includes(name), name, batch)
  }
}
await only(LOWER, ['operator', 'zone-setup'])
await only([['UPSERT', 'SRV', '_web._tcp.sd.internal']], ['agent', 'agent-fenced'])
await only([['CREATE', 'TXT', '_fleet.sd.internal']], ['janitor'])
await only([['DELETE', 'TXT', '_fleet.sd.internal']], ['janitor', 'zone-setup'])
await only([['CREATE', 'A', 'web1.sd.internal']], ['agent', 'janitor'])
await only([['CREATE', 'A', 'i-0123456789abcdef0.sd.internal']], ['agent', 'agent-fenced', 'janitor'])
await only([...LOWER, GOOD], [])

// What clients look up by themselves is given to nobody, whatever else is in the batch; what is there may go.
const TRUSTED = ['wpad', 'wpad.prod', 'isatap', 'localhost', 'a.localhost.prod', '_ldap._tcp.dc._msdcs', 'ns', 'ns2']
const NEIGHBOURS = ['_wpad._tcp', '_web._tcp', '_web._tcp.prod', '_nsd._tcp', '_localhost._tcp']
for (const name of ['agent', 'agent-fenced']) {
  for (const label of TRUSTED) {
    for (const action of ['CREATE', 'UPSERT']) {
      for (const type of ['A', 'SRV']) {
        const bad = [action, type, `${label}.sd.internal`]
        await change(false, name, [bad])
        await change(false, name, [bad, ['CREATE', 'SRV', '_web._tcp.sd.internal']])
      }
    }
    await change(name === 'agent', name, [['DELETE', 'A', `${label}.sd.internal`]])
  }
  for (const label of NEIGHBOURS) {
    await change(name === 'agent' || !label.endsWith('.prod'), name, [['CREATE', 'SRV', `${label}.sd.internal`]])
  }
}
for (const label of ['nsd', 'localhost-1', 'wpad-test']) await change(true, 'agent', [['CREATE', 'A', `${label}.sd.internal`]])

// === All else ===

for (const name of ['agent', 'agent-fenced', 'janitor', 'operator', 'zone-setup']) {
  for (const action of ['route53:ListResourceRecordSets', 'route53:GetHostedZone']) {
    await expect(true, name, action, action, OURS)
    await expect(false, name, `${action} of another zone`, action, OTHER)
  }
}
const INSTANCE = 'arn:aws:ecs:us-east-1:111122223333:container-instance/demo/1'
const TASK = 'arn:aws:ecs:us-east-1:111122223333:task/demo/1'
const here = { 'ecs:cluster': 'arn:aws:ecs:us-east-1:111122223333:cluster/demo' }
const elsewhere = { 'ecs:cluster': 'arn:aws:ecs:us-east-1:111122223333:cluster/other' }
for (const [action, resource] of [
  ['ecs:DescribeContainerInstances', INSTANCE],
  ['ecs:ListTasks', INSTANCE],
  ['ecs:DescribeTasks', TASK]
]) {
  await expect(true, 'agent-ecs', action, action, resource, here)
  await expect(false, 'agent-ecs', `${action} of another cluster`, action, resource, elsewhere)
  await expect(false, 'agent', action, action, resource, here)
  await expect(true, 'janitor', action, action, resource, elsewhere)
  await expect(true, 'operator', action, action, resource, elsewhere)
}
await expect(false, 'agent-ecs', 'ecs:StopTask', 'ecs:StopTask', TASK, here)
await expect(false, 'janitor', 'ecs:StopTask', 'ecs:StopTask', TASK, here)
await expect(true, 'janitor-stop-task', 'ecs:StopTask', 'ecs:StopTask', TASK, here)
await expect(false, 'janitor-stop-task', 'ecs:StopTask of another cluster', 'ecs:StopTask', TASK, elsewhere)
// What `--forget` asks before it believes that a host is dead.
for (const action of ['ec2:DescribeInstances', 'ecs:ListClusters']) {
  await expect(true, 'operator', action, action, ANY)
}
await expect(false, 'operator', 'ecs:StopTask', 'ecs:StopTask', TASK, here)
for (const action of ['ec2:DescribeInstances', 'ec2:DescribeVpcs', 'ec2:DescribeNetworkInterfaces', 'ecs:ListClusters']) {
  await expect(true, 'janitor', action, action, ANY)
  await expect(false, 'agent', action, action, ANY)
}
await expect(false, 'janitor', 'ec2:TerminateInstances', 'ec2:TerminateInstances', 'arn:aws:ec2:us-east-1:111122223333:instance/i-1')
const STREAM = (group) => `arn:aws:logs:us-east-1:111122223333:log-group:${group}:log-stream:1`
await expect(true, 'janitor', 'its log', 'logs:PutLogEvents', STREAM('janitor'))
await expect(false, 'janitor', 'the log of another', 'logs:PutLogEvents', STREAM('zone-setup'))
await expect(true, 'zone-setup', 'its log', 'logs:PutLogEvents', STREAM('zone-setup'))
await expect(false, 'zone-setup', 'the log of another', 'logs:PutLogEvents', STREAM('janitor'))

for (const line of wrong) console.log(`wrong: ${line}`)
console.log(`figure: ${allowed} cases that policies allow, ${denied} that they deny`)
if (wrong.length > 0 || allowed + denied < 60) process.exit(1)
