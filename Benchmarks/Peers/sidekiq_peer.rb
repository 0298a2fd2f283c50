# Chard, a distributed task queue for Swift.
# SPDX-License-Identifier: Apache-2.0

# Sidekiq's side of the benchmark: `sidekiq -r ./sidekiq_peer.rb`, or this file's own commands. Sidekiq keeps no results,
# so `now` puts its time on a list.

require "json"
require "sidekiq"

url = ENV.fetch("BENCH_REDIS_URL", "redis://localhost:6379/0")
Sidekiq.configure_server { |config| config.redis = {url: url} }
Sidekiq.configure_client { |config| config.redis = {url: url} }
Sidekiq.logger.level = Logger::WARN
# What redis-rb warns of, once a call, is Sidekiq 6.4's own use of it.
Redis.sadd_returns_boolean = false if Redis.respond_to?(:sadd_returns_boolean=)

class Echo
  include Sidekiq::Worker

  def perform(i, payload = nil)
    unless $started
      $started = true
      path = File.join(ENV.fetch("BENCH_DIR", "."), "trace.#{Process.pid}")
      File.open(path, "a") { |trace| trace.syswrite("F #{Time.now.to_f}\n") }
    end
    i
  end
end

class Now
  include Sidekiq::Worker

  def perform
    Sidekiq.redis { |redis| redis.rpush("ran", Time.now.to_f.to_s) }
  end
end

def clock = Process.clock_gettime(Process::CLOCK_MONOTONIC)

def cpu = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)

# Whether this file was run, and not read by the worker.
if $PROGRAM_NAME == __FILE__
  command = ARGV.shift
  options = ARGV.each_slice(2).to_h
  Sidekiq.redis(&:ping)
  case command
  when "enqueue", "bulk"
    count = Integer(options.fetch("--count"))
    start, before = clock, cpu
    if command == "bulk"
      # Its own advice: a thousand at a time.
      (0...count).each_slice(1000) { |part| Sidekiq::Client.push_bulk("class" => Echo, "args" => part.map { |i| [i] }) }
    else
      count.times { |i| Echo.perform_async(i) }
    end
    puts JSON.generate(n: count, seconds: clock - start, cpu: cpu - before, how: command == "bulk" ? "bulk" : "one")
  when "latency"
    starts = Array.new(Integer(options.fetch("--samples"))) do
      sleep(rand(0.005..0.05))
      sent = Time.now.to_f
      Now.perform_async
      _, ran = Sidekiq.redis { |redis| redis.blpop("ran", timeout: 10) }
      (Float(ran) - sent) * 1000
    end
    puts JSON.generate(start: starts, result: [])
  end
end
