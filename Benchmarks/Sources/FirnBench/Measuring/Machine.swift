// SPDX-License-Identifier: Apache-2.0
//
// What the operating system knows: the peak memory of this process, and the bytes that a folder takes.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

enum Machine {
    /// The most memory that was resident in this process so far, in bytes; 0 where the system does not tell.
    static func peakResidentBytes() -> Int {
        // On Linux getrusage also counts what the process was before exec, so the kernel's own mark is read there.
        #if os(Linux)
            guard let file = fopen("/proc/self/status", "r") else { return 0 }
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 256)
            while fgets(&line, Int32(line.count), file) != nil {
                let words = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                    .split { $0 == " " || $0 == "\t" }
                if words.count > 1, words[0] == "VmHWM:", let kibibytes = Int(words[1]) { return kibibytes * 1_024 }
            }
            return 0
        #else
            var usage = rusage()
            getrusage(RUSAGE_SELF, &usage)
            return Int(usage.ru_maxrss)
        #endif
    }

    /// Seconds that the process has spent on processors so far, all threads together.
    static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Bytes of all files below a folder, by the name of the folder or file directly in it.
    static func fileBytes(in folder: String) -> [(name: String, bytes: Int)] {
        entries(of: folder).map { ($0, bytes(of: folder + "/" + $0)) }.sorted { $0.0 < $1.0 }
    }

    private static func entries(of folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: entry.pointee.d_name) {
                // The kernel ends the name with a zero within the field.
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    private static func bytes(of path: String) -> Int {
        var status = stat()
        guard lstat(path, &status) == 0 else { return 0 }
        if status.st_mode & S_IFMT == S_IFDIR {
            return entries(of: path).reduce(0) { $0 + bytes(of: path + "/" + $1) }
        }
        return Int(status.st_size)
    }
}
