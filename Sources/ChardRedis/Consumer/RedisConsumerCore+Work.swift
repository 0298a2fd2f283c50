// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Logging
import NIOCore

extension RedisConsumerCore {
    func look(_ list: WaitingList, from start: Int) {
        let page = machine.fetch.page(list.key, start)
        let script = RedisScript.held.command(keys: [list.leased], -1 - start, -1, page.bytes, page.message)
        send([script]) { result in
            let page = result.flatMap(\.only).map { reply in
                (reply.array ?? []).compactMap(HeldMessage.init).map { $0.delivery(from: list) }
            }
            self.handle(.looked(page))
        }
    }

    func handBack(_ deliveries: [Delivery]) {
        let writer = LeasedWriter(core: NIOLoopBoundBox(self, eventLoop: server.client.eventLoop), server: server)
        Task(executorPreference: server.executor) {
            // What stays leased goes back with the identity.
            try? await writer.handBack(deliveries.reversed())
        }
    }

    /// Renews the lease, and asks for what there is to know. While nothing changes, that is one cheap question a second, and the
    /// renewal once in the time of a heartbeat, or whenever the process's figures have changed; else a script.
    func renew(asking indices: [Int]) {
        let present = subscription.vitals()
        let vitals = present.text
        let lists = indices.flatMap { [machine.pops[$0].list.key, machine.ripe[$0].key] }
        defer { renewals += 1 }
        guard machine.kept == acknowledged, isQuiet, renewals % Self.fullRenewals != 0 else {
            return renewWholly(indices, lists, vitals)
        }
        let keys = server.keys
        var question = RedisCommand("EXISTS", keys.duty, keys.news)
        question.append(contentsOf: lists)
        var commands = [question]
        // While there is news, more of it would not be noticed.
        if hasNews { commands.append(RedisCommand("GET", keys.orders)) }
        if machine.isOnDuty { commands.append(RedisCommand("PEXPIRE", keys.duty, Self.duty.milliseconds)) }
        let lease = server.settings.lease.milliseconds
        let isDue = renewals % max(1, Int(server.settings.heartbeat / .seconds(1))) == 0
        // What runs is told each second; how many have ended, of those that were shorter than that, with the heartbeat.
        let isBusy = !present.running.isEmpty || isToldBusy
        let isTelling = vitals != self.vitals && (isDue || isBusy)
        let isRenewal = isDue || isTelling
        if isTelling {
            commands.append(RedisScript.tellVitals.command(keys: [keys.heartbeat(identity)], lease, vitals))
        } else if isRenewal {
            commands.append(RedisCommand("PEXPIRE", keys.heartbeat(identity), lease))
        }
        let sentAt = ContinuousClock.now
        let expected = hasNews ? 2 : 1
        send(commands) { [number = machine.orders.number] result in
            guard case .success(let replies) = result, replies.allSatisfy({ $0.error == nil }) else {
                if let error = (try? result.get())?.lazy.compactMap(\.error).first { self.look(into: error) }
                return self.handle(.renewalFailed)
            }
            if isRenewal, replies.last?.integer == 0 { return self.handle(.lapsed) }
            if isTelling {
                self.vitals = vitals
                self.isToldBusy = !present.running.isEmpty
            }
            let isSame = expected == 1 || replies[1].orderNumber == number
            guard replies[0].integer == expected, isSame else { return self.renewWholly(indices, lists, vitals) }
            self.handle(
                .renewed(
                    Renewal(
                        sentAt: isRenewal ? sentAt : nil, orders: self.machine.orders.number,
                        isOnDuty: self.machine.isOnDuty, used: [])))
        }
    }

    private func renewWholly(_ indices: [Int], _ lists: [String], _ vitals: [UInt8]) {
        let keys = server.keys
        let command = RedisScript.renew.command(
            keys: [keys.heartbeat(identity), keys.duty, keys.orders, keys.news, keys.holders] + lists,
            server.settings.lease.milliseconds, identity, Self.duty.milliseconds, vitals == self.vitals ? [] : vitals,
            machine.kept == acknowledged ? "" : "\(machine.kept)", holder)
        acknowledged = machine.kept
        let sentAt = ContinuousClock.now
        let asked = ServerClock.Reading.now
        send([command]) { result in
            guard case .success(let reply) = result.flatMap(\.only) else {
                if case .failure(let error) = result.flatMap(\.only) { self.look(into: error) }
                return self.handle(.renewalFailed)
            }
            guard let answer = reply.array, answer.count >= 5 else { return self.handle(.lapsed) }
            if answer[3].integer == -1 {
                let error = RedisError(code: .wrongType, message: "nobody can go on duty")
                self.server.look(into: error, of: [], by: self.subscription.node)
            }
            if vitals != self.vitals {
                self.vitals = vitals
                self.isToldBusy = true
            }
            self.isQuiet = true
            self.hasNews = answer[4].integer == 1
            if let jump = self.view.noteTime(.array(Array(answer[1...2])), asked: asked) {
                self.server.logger.warning(
                    "the server's clock was set: what was to come at a time by the old one may be early or late",
                    metadata: ["seconds": "\(Int(jump.rounded()))"])
            }
            // The orders' number is told on a channel, too; but what is told while its connection is away is not repeated.
            self.handle(
                .renewed(
                    Renewal(
                        sentAt: sentAt, orders: answer[0].orderNumber, isOnDuty: answer[3].integer == 1,
                        used: answer.dropFirst(5).compactMap { $0.integer.map { indices[$0] } })))
        }
    }

    /// For how long the duty is taken, which is renewed each second: whoever has it and falls silent is replaced within three.
    private static let duty: Duration = .seconds(2)
    /// Now and then the script is asked in any case: for the time, and lest two processes believe to be on duty for long.
    private static let fullRenewals = 60

    private func look(into error: RedisError) {
        server.look(into: error, of: subscription.queues, by: subscription.node)
    }

    func log(_ report: ConsumerMachine.Report) {
        switch report {
        case .refused(let error):
            server.logger.error("the server refuses; trying again", metadata: ["error": "\(error)"])
            look(into: error)
        case .queueRefused(let list, let error, let isNew):
            server.look(into: error, of: [server.keys.queue(of: list).queue], by: subscription.node)
            server.logger.log(
                level: isNew ? .error : .debug, "a queue cannot be served",
                metadata: ["list": "\(list)", "error": "\(error)"])
        case .adopted(let count):
            server.logger.debug("messages were adopted", metadata: ["count": "\(count)"])
        case .unfetchable(let size):
            server.logger.error(
                """
                messages of some size cannot be fetched, since the server closes the connection; they are put aside: raise \
                its client-output-buffer-limit for normal clients
                """,
                metadata: ["bytes": "\(size)"])
        case .standsStill:
            server.logger.warning("the intake stands still; starting it anew", metadata: ["identity": "\(identity)"])
        }
    }
}

extension [RESPValue] {
    /// The one reply, or the error that it is.
    var only: Result<RESPValue, RedisError> {
        guard let reply = first else { return .success(.null) }
        return reply.error.map { .failure($0) } ?? .success(reply)
    }
}
