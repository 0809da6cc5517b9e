// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import Vocabulary

/// One option of a command: what `getopt_long(3)`, the usage text and the completions need to know of it.
package struct CommandOption<Key: Sendable>: Sendable {
    package let key: Key
    /// An ASCII letter; nil if there is only the long form.
    package let short: Character?
    package let long: String
    /// What stands for its argument in the usage text, in capitals; nil if it has none.
    package let argument: String?
    /// What its argument can be.
    package let value: ValueKind
    package let summary: String

    package init(
        _ key: Key, _ short: Character?, _ long: String, _ summary: String, argument: String? = nil,
        value: ValueKind = .free
    ) {
        self.key = key
        self.short = short
        self.long = long
        self.argument = argument
        self.value = value
        self.summary = summary
    }

    fileprivate func with<Other>(_ key: Other) -> CommandOption<Other> {
        CommandOption<Other>(key, short, long, summary, argument: argument, value: value)
    }
}

/// All options of a command, in the order in which the usage text has them. `--help`, `-h` and `--version` belong to
/// every table, and so does `--complete`, which only shells use.
package struct OptionTable<Key: Sendable>: Sendable {
    private enum Choice: Sendable {
        case own(Key)
        case help, version
    }

    private let program: String
    private let synopsis: String
    private let options: [CommandOption<Choice>]

    /// - Parameter synopsis: The first lines of the usage text.
    package init(_ program: String, synopsis: String, _ options: [CommandOption<Key>]) {
        self.program = program
        self.synopsis = synopsis
        self.options =
            options.map { $0.with(.own($0.key)) } + [
                CommandOption(.help, "h", "help", "Print this text and exit"),
                CommandOption(.version, nil, "version", "Print the version and the commit, and exit"),
            ]
    }

    /// An option as it was given.
    package struct Given: Sendable {
        package let key: Key
        /// Bytes, because arguments need not be UTF-8; empty if the option has no argument.
        package let value: [UInt8]

        package var text: String { printable(value) }
    }

    /// What a command line asks for.
    package enum Reading: Sendable {
        /// The options in the order given, and the words that are none.
        case given([Given], operands: [[UInt8]])
        /// Something to write to standard output, and nothing else.
        case answer([UInt8])
    }

    /// What is wrong with a command line, for people.
    package struct Mistake: Error, Hashable, Sendable {
        package let message: String

        package init(message: String) { self.message = message }
    }

    /// A mistake as the one line that tells of it.
    package func line(_ message: String) -> String { "\(program): \(message) Try \"\(program) --help\".\n" }

    /// `words` begins with the program's name.
    /// - Parameter running: IPCPs, layers or names that there are, for completion.
    package func read(
        _ words: [[UInt8]], running: (ValueKind) -> [[UInt8]] = { _ in [] }
    ) throws(Mistake) -> Reading {
        if words.count > 1, words[1] == Array("--complete".utf8) {
            return .answer(Completion.answer(Array(words.dropFirst(2))) { complete($0, running) })
        }
        let vector = StringVector(words)
        let names = StringVector(options.map { Array($0.long.utf8) })
        var longs = options.indices.map { index in
            CLinux.option(
                name: names.pointer[index], has_arg: options[index].argument == nil ? 0 : 1, flag: nil,
                val: firstValue + Int32(index))
        }
        longs.append(CLinux.option())
        cl_begin_options()
        defer { cl_end_options() }
        var given: [Given] = []
        var word: Int32 = 0
        while true {
            var argument: UnsafePointer<CChar>?
            let result = cl_next_option(Int32(words.count), vector.pointer, shorts, longs, &argument, &word)
            if result == -1 { break }
            guard let found = known(result) else { throw Mistake(message: complaint(result, vector[Int(word)])) }
            switch found.key {
            case .help: return .answer(Array(usage.utf8))
            case .version: return .answer(Array(Version.line.utf8))
            case .own(let key): given.append(Given(key: key, value: argument.map(bytes(of:)) ?? []))
            }
        }
        // getopt has moved the words that are no options behind the others.
        return .given(given, operands: (Int(word)..<words.count).map { vector[$0] })
    }

    /// The synopsis and a line for each option.
    package var usage: String {
        let forms = options.map { option in
            (option.short.map { "-\($0), " } ?? "    ") + "--" + option.long
                + (option.argument.map { " \($0)" } ?? "")
        }
        let width = (forms.map(\.count).max() ?? 0) + 2
        return synopsis + "\n\n"
            + zip(forms, options).map { form, option in
                "  " + form + String(repeating: " ", count: width - form.count) + option.summary + "\n"
            }.joined()
    }

    /// Behind an option with an argument, what that can be; else the options.
    private func complete(_ words: [[UInt8]], _ running: (ValueKind) -> [[UInt8]]) -> Completion {
        if let before = words.dropLast().last.map({ printable($0) }),
            let option = options.first(where: { "--" + $0.long == before || $0.short.map { "-\($0)" } == before }),
            option.argument != nil
        {
            return Completion(option.value, running: running)
        }
        return Completion(
            options.flatMap { option in
                let long = Completion.Candidate("--" + option.long, option.summary)
                return (option.short.map { [Completion.Candidate("-\($0)", option.summary)] } ?? []) + [long]
            })
    }

    /// Above all characters, so that a long option is never taken for a short one.
    private var firstValue: Int32 { 256 }
    private var isMissingArgument: Int32 { 58 }  // ':'

    /// The colon in front: a missing argument is told from an unknown option.
    private var shorts: String {
        options.reduce(":") { text, option in
            guard let short = option.short else { return text }
            return text + "\(short)" + (option.argument == nil ? "" : ":")
        }
    }

    private func known(_ result: Int32) -> CommandOption<Choice>? {
        if result >= firstValue { return options[Int(result - firstValue)] }
        return options.first { $0.short?.asciiValue.map(Int32.init) == result }
    }

    private func complaint(_ result: Int32, _ word: [UInt8]) -> String {
        guard result != isMissingArgument else { return "Option \(printable(word)) needs an argument." }
        let name = printable(word.prefix { $0 != UInt8(ascii: "=") })
        if word.contains(UInt8(ascii: "=")), options.contains(where: { $0.argument == nil && "--" + $0.long == name }) {
            return "Option \(name) takes no argument."
        }
        let near = nearest(to: printable(word), among: options.map { "--" + $0.long })
        return "Unknown option: \(printable(word))" + (near.map { ", did you mean \($0)?" } ?? ".")
    }
}

/// C strings in an array that ends with NULL, as `main` has them.
private struct StringVector: ~Copyable {
    let pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ strings: [[UInt8]]) {
        count = strings.count
        pointer = .allocate(capacity: count + 1)
        for (index, string) in strings.enumerated() {
            (pointer + index).initialize(to: strdup(string.map(CChar.init(bitPattern:)) + [0]))
        }
        (pointer + count).initialize(to: nil)
    }

    deinit {
        for index in 0..<count { free(pointer[index]) }
        pointer.deallocate()
    }

    /// Empty behind the last.
    subscript(index: Int) -> [UInt8] {
        guard index < count, let string = pointer[index] else { return [] }
        return bytes(of: string)
    }
}

private func bytes(of string: UnsafePointer<CChar>) -> [UInt8] {
    UnsafeBufferPointer(start: string, count: strlen(string)).map(UInt8.init(bitPattern:))
}

/// The words of the command line as the kernel gave them: names need not be UTF-8.
package func commandLineWords() -> [[UInt8]] {
    (0..<Int(CommandLine.argc)).compactMap { index in
        CommandLine.unsafeArgv[index].map { word in
            UnsafeBufferPointer(start: word, count: strlen(word)).map(UInt8.init(bitPattern:))
        }
    }
}
