// SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Let npm's bull or bullmq, whichever is installed in the folder that is given, say what it thinks of queues, or work on
// them. Settings come from standard input: connection, prefix, and a list of questions; the answers go out in order.
'use strict';

const path = require('path');

function open(code, library, settings, name) {
  if (library === 'bull') {
    return new code(name, { prefix: settings.prefix, redis: settings.connection });
  }
  const connection = { ...settings.connection, maxRetriesPerRequest: null };
  return new code.Queue(name, { connection, prefix: settings.prefix });
}

async function states(queue, ids) {
  const found = {};
  for (const id of ids) {
    const job = await queue.getJob(id);
    found[id] = job ? await job.getState() : null;
  }
  return found;
}

// Work on a queue until as many were done as are expected and nothing came for a while, and return the ids in the order
// in which they were worked on. A job fails the first times that it is seen, if its data or the question say so.
async function drain(code, library, settings, queue, question) {
  const { queue: name, expect = 0, idle = 1000, failures = 0, reason = 'broken' } = question;
  const order = [];
  const seen = {};
  const begun = Date.now();
  let last = Date.now();
  const work = async (job) => {
    order.push(String(job.id));
    last = Date.now();
    seen[job.id] = (seen[job.id] || 0) + 1;
    const data = job.data || {};
    if (seen[job.id] <= (data.failures ?? failures)) {
      throw new Error(data.reason || reason);
    }
    return 'done';
  };
  let worker = null;
  if (library === 'bull') {
    queue.process('*', 1, work);
  } else {
    const connection = { ...settings.connection, maxRetriesPerRequest: null };
    worker = new code.Worker(name, work, { connection, prefix: settings.prefix, concurrency: 1 });
    await worker.waitUntilReady();
  }
  while (Date.now() - last < idle || (order.length < expect && Date.now() - begun < 20000)) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  if (worker) {
    await worker.close();
  }
  return order;
}

async function jobsIn(queue, state) {
  const jobs = await queue.getJobs([state], 0, -1, true);
  const logs = await Promise.all(jobs.map((job) => queue.getJobLogs(job.id)));
  return jobs.map((job, at) => ({ id: job.id, name: job.name, data: job.data, logs: logs[at].logs }));
}

// Put dead letters back where they came from; docs/queues.md shows the same.
async function putBack(code, library, settings, letters) {
  const back = [];
  for (const letter of await letters.getWaiting()) {
    const { source, name, data, opts } = letter.data;
    const { attempts, backoff, priority, lifo } = opts;
    const queue = open(code, library, settings, source);
    const job = await queue.add(name, data, { jobId: letter.id, attempts, backoff, priority, lifo });
    await letter.remove();
    await queue.close();
    back.push(job.id);
  }
  return back;
}

async function addFlow(code, settings, flow) {
  const connection = { ...settings.connection, maxRetriesPerRequest: null };
  const producer = new code.FlowProducer({ connection, prefix: settings.prefix });
  const tree = await producer.add(flow);
  await producer.close();
  return { parent: tree.job.id, children: (tree.children || []).map((child) => child.job.id) };
}

// Take a job and let it end as it is told to.
async function end(code, library, settings, queue, name, question) {
  const reason = question.reason || 'broken';
  if (library === 'bull') {
    const job = await queue.getNextJob();
    await (question.fail ? job.moveToFailed(new Error(reason), true) : job.moveToCompleted('done', true, true));
    return job.id;
  }
  const connection = { ...settings.connection, maxRetriesPerRequest: null };
  const worker = new code.Worker(name, null, { connection, prefix: settings.prefix, autorun: false });
  await worker.waitUntilReady();
  const job = await worker.getNextJob('upkeep-ask', { block: false });
  await (question.fail
    ? job.moveToFailed(new Error(reason), 'upkeep-ask', false)
    : job.moveToCompleted('done', 'upkeep-ask', false));
  await worker.close();
  return job.id;
}

async function answer(code, library, settings, question) {
  if (question.ask === 'flow') {
    return addFlow(code, settings, question.flow);
  }
  const queue = open(code, library, settings, question.queue);
  await (library === 'bull' ? queue.isReady() : queue.waitUntilReady());
  try {
    switch (question.ask) {
      case 'counts':
        return await queue.getJobCounts();
      case 'states':
        return await states(queue, question.ids);
      case 'add':
        return (await queue.add(question.name || 'task', question.data || {}, question.options || {})).id;
      case 'end':
        return await end(code, library, settings, queue, question.queue, question);
      case 'drain':
        return await drain(code, library, settings, queue, question);
      case 'jobs':
        return await jobsIn(queue, question.state);
      case 'putback':
        return await putBack(code, library, settings, queue);
      case 'promote':
        return await (await queue.getDelayed())[0].promote();
      case 'schedule':
        return (await queue.upsertJobScheduler('scheduler', { every: question.every }, { name: question.name })).id;
      case 'pause':
        return await queue.pause();
      case 'resume':
        return await queue.resume();
      case 'retryJobs': {
        const started = Date.now();
        await queue.retryJobs({ count: question.count });
        return { milliseconds: Date.now() - started };
      }
      case 'clean': {
        const started = Date.now();
        const removed =
          library === 'bull'
            ? await queue.clean(question.grace, question.state)
            : await queue.clean(question.grace, question.limit, question.state);
        return { removed: removed.length, milliseconds: Date.now() - started };
      }
      default:
        throw new Error(`unknown question ${question.ask}`);
    }
  } finally {
    await queue.close();
  }
}

async function main() {
  const chunks = [];
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
  }
  const settings = JSON.parse(Buffer.concat(chunks).toString());
  const [folder, library] = process.argv.slice(2);
  const code = require(require.resolve(library, { paths: [path.resolve(folder)] }));
  const answers = [];
  for (const question of settings.questions) {
    answers.push(await answer(code, library, settings, question));
  }
  process.stdout.write(JSON.stringify(answers.map((one) => (one === undefined ? null : one))));
}

main().then(
  () => process.exit(0),
  (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  },
);
