// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import COuroboros
import LocalProtocol
import ManagementClient
import Vocabulary

// The functions of irm.h for names and registrations.

/// `irm_create_name(3)`.
@c @implementation
public func irm_create_name(_ info: UnsafeMutablePointer<name_info>!) -> Int32 {
    guard let info, let settings = NameSettings(info.pointee) else { return Call.invalid }
    return Call.perform { client throws(ManagementError) in
        try client.create(settings)
        return 0
    }
}

/// `irm_destroy_name(3)`.
@c @implementation
public func irm_destroy_name(_ name: UnsafePointer<CChar>!) -> Int32 {
    guard let bytes = text(name) else { return Call.invalid }
    // The empty name cannot exist, so it is refused like any other that does not.
    guard let name = ServiceName(bytes) else { return Call.failed(.notPermitted, "There is no such name.") }
    return Call.perform { client throws(ManagementError) in
        _ = try client.perform(.destroyName(name))
        return 0
    }
}

/// `irm_list_names(3)`.
@c @implementation
public func irm_list_names(_ names: UnsafeMutablePointer<UnsafeMutablePointer<name_info>?>!) -> Int {
    guard let names else { return Int(Call.invalid) }
    return Call.perform { client throws(ManagementError) in
        export(try client.names(), to: names) { entry, place in
            // 254 bytes here too, as programs of the prototype know it. spec: c-api §9
            store(Array(entry.settings.name.bytes.prefix(254)), in: &place.pointee.name)
            place.pointee.pol_lb = pol_balance(entry.settings.balancing.rawValue)
            entry.settings.server.store(in: &place.pointee.s)
            entry.settings.client.store(in: &place.pointee.c)
        }
    }
}

/// `irm_set_name_policy(3)`.
@c @implementation
public func irm_set_name_policy(_ name: UnsafePointer<CChar>!, _ pol_lb: pol_balance) -> Int32 {
    guard let bytes = text(name), let balancing = LoadBalancing(rawValue: pol_lb.rawValue) else { return Call.invalid }
    return change(bytes, balancing: balancing, wait: nil)
}

/// `irm_set_name_wait(3)`.
@c @implementation
public func irm_set_name_wait(_ name: UnsafePointer<CChar>!, _ wait: UnsafePointer<timespec>!) -> Int32 {
    guard let bytes = text(name) else { return Call.invalid }
    var span = TimeSpan.unlimited
    if let wait {
        let (seconds, nanoseconds) = (wait.pointee.tv_sec, wait.pointee.tv_nsec)
        guard seconds >= 0, (0..<1_000_000_000).contains(nanoseconds) else { return Call.invalid }
        let (scaled, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        span = overflow ? .unlimited : TimeSpan(nanoseconds: scaled) + TimeSpan(nanoseconds: UInt64(nanoseconds))
    }
    return change(bytes, balancing: nil, wait: span)
}

/// `irm_get_name_wait(3)`.
@c @implementation
public func irm_get_name_wait(_ name: UnsafePointer<CChar>!, _ wait: UnsafeMutablePointer<timespec>!) -> Int32 {
    guard let bytes = text(name), let wait else { return Call.invalid }
    guard let name = ServiceName(bytes) else { return Call.failed(.name, "There is no such name.") }
    return Call.perform(specific: [.name]) { client throws(ManagementError) in
        guard let entry = try client.names().first(where: { $0.settings.name == name }) else {
            throw ManagementError(.name, reason: "There is no such name.")
        }
        guard entry.settings.wait != .unlimited else { return 1 }
        wait.pointee = timespec(entry.settings.wait)
        return 0
    }
}

extension timespec {
    init(_ span: TimeSpan) {
        self.init(
            tv_sec: Int(clamping: span.nanoseconds / 1_000_000_000), tv_nsec: Int(span.nanoseconds % 1_000_000_000))
    }
}

private func change(_ bytes: [UInt8], balancing: LoadBalancing?, wait: TimeSpan?) -> Int32 {
    guard let name = ServiceName(bytes) else { return Call.failed(.name, "There is no such name.") }
    return Call.perform(specific: [.name]) { client throws(ManagementError) in
        _ = try client.perform(.setName(name, balancing: balancing, wait: wait))
        return 0
    }
}

/// `irm_reg_name(3)`.
@c @implementation
public func irm_reg_name(_ name: UnsafePointer<CChar>!, _ pid: pid_t) -> Int32 {
    guard pid > 0, let bytes = text(name) else { return Call.invalid }
    guard let name = ServiceName(bytes) else { return Call.failed(.name, "There is no such name.") }
    return Call.perform(specific: [.name, .ipcp]) { client throws(ManagementError) in
        _ = try client.perform(.registerName(name, ProcessID(pid)))
        return 0
    }
}

/// `irm_unreg_name(3)`.
@c @implementation
public func irm_unreg_name(_ name: UnsafePointer<CChar>!, _ pid: pid_t) -> Int32 {
    guard pid > 0, let bytes = text(name) else { return Call.invalid }
    guard let name = ServiceName(bytes) else { return Call.failed(.name, "There is no such name.") }
    return Call.perform(specific: [.name, .ipcp]) { client throws(ManagementError) in
        _ = try client.perform(.unregisterName(name, ProcessID(pid)))
        return 0
    }
}

extension NameSettings {
    /// Nil for a name or policy that cannot be, and for strings that do not end.
    fileprivate init?(_ info: name_info) {
        guard let name = text(in: info.name).flatMap(ServiceName.init),
            let balancing = LoadBalancing(rawValue: info.pol_lb.rawValue),
            let server = SecurityPaths(info.s), let client = SecurityPaths(info.c)
        else { return nil }
        self.init(name: name, balancing: balancing, server: server, client: client)
    }
}

extension SecurityPaths {
    fileprivate init?(_ paths: name_sec_paths) {
        guard let encryption = text(in: paths.enc), let key = text(in: paths.key),
            let certificate = text(in: paths.crt)
        else { return nil }
        self.init()
        self.encryption = encryption
        self.key = key
        self.certificate = certificate
    }

    fileprivate func store(in paths: inout name_sec_paths) {
        OuroborosIRM.store(encryption, in: &paths.enc)
        OuroborosIRM.store(key, in: &paths.key)
        OuroborosIRM.store(certificate, in: &paths.crt)
    }
}
