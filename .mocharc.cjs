// The files of the tests run beside each other: none needs what another leaves.
const { availableParallelism } = require('node:os');

module.exports = {
  spec: ['out/**/*.test.js'],
  timeout: 40_000,
  parallel: true,
  jobs: Math.min(availableParallelism(), 8),
  'forbid-only': true,
  'forbid-pending': true,
  reporter: 'dot',
};
