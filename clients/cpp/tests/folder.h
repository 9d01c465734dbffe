/// A folder of one test, which is removed with what is in it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace tests {

class Folder {
public:
    Folder() : path_(std::filesystem::temp_directory_path() / "lars-XXXXXX") { ::mkdtemp(path_.data()); }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    const std::string& path() const noexcept { return path_; }
    /// Replaces a file, as the agent does.
    void write(const std::string& name, const std::string& content) const {
        const std::string fresh = path_ + "/new";
        std::ofstream(fresh) << content;
        std::filesystem::rename(fresh, path_ + "/" + name);
    }

private:
    std::string path_;
};

}  // namespace tests
