// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// When output has colours, as users write it behind `--color`.
package enum Colour: String, Sendable, CaseIterable {
    case auto, always, never

    /// - Parameters:
    ///   - noColour: The variable NO_COLOR; nil if it is unset or empty. https://no-color.org
    ///   - kind: The variable TERM.
    package func applies(toTerminal isTerminal: Bool, noColour: String?, kind: String?) -> Bool {
        switch self {
        case .auto: isTerminal && noColour == nil && kind != nil && kind != "dumb"
        case .always: true
        case .never: false
        }
    }
}
