// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import OrderedCollections
import Vocabulary

/// Names, and what is bound to them.
extension ResourceManager {
    mutating func createName(_ settings: NameSettings, for requester: Requester) {
        if naming[settings.name] != nil {
            // Not an error, and not changed either. spec: irm-cli §3
            report(.naming(.exists(settings.name)))
            return succeed(requester, .unchanged)
        }
        guard makeName(settings, for: requester) else { return }
        succeed(requester)
    }

    /// False at the limit; then the requester has been told.
    private mutating func makeName(_ settings: NameSettings, for requester: Requester) -> Bool {
        let owner = user(of: requester)
        guard naming.create(settings, owner: owner, isExempt: isExempt(owner)) else {
            fail(requester, .tableFull, "there are too many names, or too many of uid \(owner)")
            return false
        }
        report(.naming(.created(settings.name)))
        return true
    }

    /// Binding creates the name if it is new. spec: irmd §4
    private mutating func ensureName(_ name: ServiceName, for requester: Requester) -> Bool {
        if naming[name] != nil { return true }
        return makeName(NameSettings(name: name, balancing: .spillover), for: requester)
    }

    /// False at the limit; then the requester has been told. `others`: names that the program or process is bound to.
    private mutating func hasRoomForBinding(of name: ServiceName, _ others: Int, for requester: Requester) -> Bool {
        guard others < Limits.bindings, naming.hasRoomForBinding(of: name, isExempt: isExempt(user(of: requester)))
        else {
            fail(requester, .tableFull, "there are too many bindings, or too many of the owner of \(name)")
            return false
        }
        return true
    }

    mutating func destroyName(_ name: ServiceName, for requester: Requester) {
        guard let record = naming.remove(name) else {
            report(.naming(.unknown(name)))
            return fail(requester, .name, "there is no name \(name)")
        }
        book.regroup(name)
        for process in record.pids.sorted() { unwatchIfUnbound(process) }
        for ipcp in record.registrations.keys.sorted() {
            guard let hash = record.registrations[ipcp]?.hash else { continue }
            ask(ipcp, .unregister(name), for: nil) { .unregister($0, hash: hash) }
        }
        refuseWaiting(for: name, .name, "name \(name) was destroyed")
        report(.naming(.destroyed(name)))
        succeed(requester)
    }

    // Programs.

    mutating func bindProgram(
        _ program: [UInt8], _ fact: SystemFact, to name: ServiceName, _ recipe: StartRecipe?, user: UserID,
        for requester: Requester
    ) {
        let path: [UInt8]
        switch fact {
        case .program(let found): path = found
        case .unusable(let failure):
            return fail(requester, failure, "\(printable(program)) cannot be started: \(failure)")
        case .changeable(let path):
            return fail(
                requester, .notPermitted,
                "\(printable(program)) cannot be bound with auto, because other users can change \(printable(path))")
        case .nothing, .process: return fail(requester, .noEntry, "\(printable(program)) does not exist")
        }
        if let recipe {
            let bytes = recipe.arguments.reduce(0) { $0 + $1.count + 1 }
            guard recipe.arguments.count <= Limits.arguments, bytes <= Limits.argumentBytes,
                !recipe.arguments.contains(where: { $0.contains(0) }), !recipe.directory.contains(0)
            else { return fail(requester, .invalid, "there are too many arguments, or a NUL in one") }
        }
        let key = ProgramKey(path: path, user: user)
        guard ensureName(name, for: requester) else { return }
        guard hasRoomForBinding(of: name, naming.names(of: key).count, for: requester) else { return }
        guard naming.bind(key, to: name, recipe) else {
            return fail(requester, .exists, "\(printable(path)) is bound to \(name) already; unbind it first")
        }
        book.regroup(name)
        report(.naming(.programBound(path, name)))
        match(name)
        // Whoever waits for a server gets what is started for the name.
        if recipe != nil { settle(name) }
        succeed(requester)
    }

    mutating func unbindProgram(
        _ program: [UInt8], otherwise: [UInt8], from name: ServiceName?, for requester: Requester
    ) {
        var foreign: UserID?
        for file in [program, otherwise] where unbind(file, from: name, requester, &foreign) > 0 {
            return succeed(requester)
        }
        if let foreign {
            return fail(requester, .notPermitted, "\(printable(program)) is bound by uid \(foreign), not by you")
        }
        fail(requester, .noEntry, "\(printable(program)) is not bound to \(name.map { "\($0)" } ?? "any name")")
    }

    /// The number of bindings that are gone; `foreign` becomes the owner of one that stays because of that.
    private mutating func unbind(
        _ program: [UInt8], from name: ServiceName?, _ requester: Requester, _ foreign: inout UserID?
    ) -> Int {
        var count = 0
        for key in naming.programs(for: program) {
            for bound in naming.names(of: key) where name == nil || name == bound {
                guard mayUnbind(key.user, from: bound, requester) else {
                    foreign = key.user
                    continue
                }
                naming.unbind(key, from: bound)
                book.regroup(bound)
                report(.naming(.programUnbound(program, bound)))
                settle(bound)
                count += 1
            }
        }
        return count
    }

    // Processes.

    mutating func bindProcess(
        _ process: ProcessID, _ fact: SystemFact, to name: ServiceName, by credentials: Credentials,
        for requester: Requester
    ) {
        guard case .process(let user, let number) = fact else {
            return fail(requester, .noEntry, "there is no process \(process)")
        }
        let process = number ?? process
        // An IPCP is its creator's, though it runs as irmd's user.
        let owner = children[process]?.owner ?? user
        guard rights.mayBind(processOf: owner, by: credentials) else {
            return fail(requester, .notPermitted, "process \(process) is of uid \(owner), not yours")
        }
        guard ensureName(name, for: requester) else { return }
        guard hasRoomForBinding(of: name, naming.names(boundTo: process).count, for: requester) else { return }
        guard naming.bind(process, to: name) else {
            return fail(requester, .exists, "process \(process) is bound to \(name) already")
        }
        book.regroup(name)
        report(.naming(.processBound(process, name)))
        watch(process)
        match(name)
        succeed(requester)
    }

    mutating func unbindProcess(_ process: ProcessID, from name: ServiceName?, for requester: Requester) {
        var count = 0
        var isForeign = false
        let owner = children[process]?.owner ?? attachments.processes[process]?.credentials.user
        for bound in naming.names(boundTo: process) where name == nil || name == bound {
            guard mayUnbind(owner, from: bound, requester) else {
                isForeign = true
                continue
            }
            guard naming.unbind(process, from: bound) else { continue }
            book.regroup(bound)
            report(.naming(.processUnbound(process, bound)))
            settle(bound)
            count += 1
        }
        guard count > 0 else {
            if isForeign {
                return fail(requester, .notPermitted, "process \(process) and its names are not yours")
            }
            return fail(
                requester, .noEntry, "process \(process) is not bound to \(name.map { "\($0)" } ?? "any name")")
        }
        unwatchIfUnbound(process)
        succeed(requester)
    }
}
