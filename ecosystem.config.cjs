// `pm2 start ecosystem.config.cjs`, after `make setup`. The program reads its settings from .env by itself.
module.exports = {
  apps: [
    {
      name: 'video-story',
      cwd: __dirname,
      script: '.venv/bin/python',
      args: ['-m', 'server'],
      interpreter: 'none',
      // The video queue is in memory and the data folder takes one server: never a cluster.
      exec_mode: 'fork',
      instances: 1,
      autorestart: true,
      // A server that finds the data folder still in use exits with 3; later tries wait longer instead of giving up.
      exp_backoff_restart_delay: 200,
      // Time to put running work away. The server ends its own engine processes, so pm2 signals the server alone.
      kill_timeout: 15000,
      treekill: false,
      env: { PYTHONUNBUFFERED: '1' },
    },
  ],
}
