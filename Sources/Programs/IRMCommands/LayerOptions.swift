// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Platform
import Vocabulary

/// The options of `irm ipcp bootstrap`, as the user gave them. spec: irm-cli §2 bootstrap
package struct LayerOptions: Hashable, Sendable {
    private var settings = LayerSettings()
    private var given: [LayerOption] = []

    mutating func set(_ option: LayerOption, _ value: Word) throws(LayerFault) {
        given.append(option)
        settings[option] = try option.value(of: value.bytes, interface: NetworkInterface.number)
    }

    func configuration(of layer: LayerName, _ type: IPCPType) throws(LayerFault) -> LayerConfiguration {
        try LayerConfiguration(layer: layer, type: type, settings)
    }

    /// The files that the user named, by what `replace` makes of their paths.
    mutating func replacePaths<Mistake: Error>(
        with replace: (LayerOption, Word) throws(Mistake) -> Word
    ) throws(Mistake) {
        for option in LayerOption.allCases where option.row.kind == .path {
            guard let path = settings[option]?.text else { continue }
            settings[option] = .text(try replace(option, Word(path)).bytes)
        }
    }

    /// Options that were given and mean nothing to a layer of this type.
    func ignored(by type: IPCPType) -> [String] {
        given.filter { !type.options.contains($0) }.map(\.row.word)
    }
}
