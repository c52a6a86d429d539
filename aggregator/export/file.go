package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// ToFile has write fill the file at path, and puts it there whole or not at all: an error of write, the end of ctx, a
// full disk or a crash leave what was at path before. It returns nil only when the new file is durable. The file gets the
// permissions perm, less the umask; a symbolic link is followed. What is there and no regular file (a folder, a device, a
// pipe) is refused.
func ToFile(ctx context.Context, path string, perm fs.FileMode, write func(w io.Writer) error) error {
	path, err := destination(path)
	if err != nil {
		return err
	}
	f, err := createBeside(path, perm)
	if err != nil {
		return fmt.Errorf("create temporary file for %s: %w", path, err)
	}
	renamed := false
	defer func() {
		if !renamed {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("write %s: %w", path, context.Cause(ctx))
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("put %s in place: %w", path, err)
	}
	renamed = true
	return syncFolder(filepath.Dir(path))
}

// destination is the path with symbolic links followed, if a regular file is or can be there.
func destination(path string) (string, error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path, nil
	case err != nil:
		return "", fmt.Errorf("look at %s: %w", path, err)
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("write %s: it is there and not a regular file; name a file, or write to standard output", path)
	}
	return path, nil
}

// createBeside creates a file in the folder of path, under a name that is free. os.CreateTemp would give it to its owner
// alone.
func createBeside(path string, perm fs.FileMode) (*os.File, error) {
	folder, name := filepath.Split(path)
	for n := 1; ; n++ {
		temporary := filepath.Join(folder, "."+name+"."+strconv.Itoa(n)+".tmp")
		f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
		if errors.Is(err, fs.ErrExist) && n < 1000 {
			continue
		}
		return f, err
	}
}

// syncFolder makes a rename in the folder durable.
func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync folder %s: %w", folder, err)
	}
	return nil
}
