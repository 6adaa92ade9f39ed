// SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
// SPDX-License-Identifier: GPL-3.0-or-later

// A worker of npm's bull or bullmq, whichever is installed in the folder that is given, until it is ended. The first line
// of standard input says: connection or postgresql, prefix, queue, for how many milliseconds a job takes (a negative
// number: it never ends), and, for bullmq, whether metrics are kept. Says "ready" when it is connected.
'use strict';

const path = require('path');
const readline = require('readline');

async function start(code, library, settings) {
  const work = () =>
    new Promise((resolve) => {
      if (settings.milliseconds >= 0) {
        setTimeout(() => resolve('done'), settings.milliseconds);
      }
    });
  if (library === 'bull') {
    const queue = new code(settings.queue, { prefix: settings.prefix, redis: settings.connection });
    await queue.isReady();
    queue.process('*', 1, work);
    return;
  }
  let options = { connection: { ...settings.connection, maxRetriesPerRequest: null }, prefix: settings.prefix };
  if (settings.postgresql) {
    code.setDefaultBackendFactory(code.createPostgresBackend);
    options = { connection: settings.postgresql };
  }
  if (settings.metrics) {
    options.metrics = { maxDataPoints: 60 };
  }
  const worker = new code.Worker(settings.queue, work, options);
  worker.on('error', () => {}); // the server may be gone before this process is
  await worker.waitUntilReady();
}

readline.createInterface({ input: process.stdin }).once('line', (line) => {
  const [folder, library] = process.argv.slice(2);
  const code = require(require.resolve(library, { paths: [path.resolve(folder)] }));
  start(code, library, JSON.parse(line)).then(
    () => process.stdout.write('ready\n'),
    (error) => {
      process.stderr.write(`${error.stack}\n`);
      process.exit(1);
    },
  );
});
